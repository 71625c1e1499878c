# SPDX-License-Identifier: Apache-2.0
"""Looks at faces in; of each face the few of the last half minute at which the network's logit was highest out."""

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.values import Evidence, FaceCrop, WorstLook

__all__ = ["KEPT_S", "MOST", "Worst", "shown"]

Key = TypeVar("Key", bound=Hashable)

MOST: Final = 3
KEPT_S: Final = 30.0
"""As long as the timeline of an alert."""


class Worst(Generic[Key]):
    """Remembers at most MOST looks of each face, each of another second, none older than KEPT_S at its last look."""

    def __init__(self) -> None:
        self._looks: dict[Key, tuple[WorstLook, ...]] = {}

    def __len__(self) -> int:
        return len(self._looks)

    def of(self, key: Key) -> tuple[WorstLook, ...]:
        """The face's worst looks, the worst first; none of a face that is not known."""
        return self._looks.get(key, ())

    def see(self, key: Key, look: WorstLook) -> None:
        """Take in a look."""
        self._looks[key] = _worst(self.of(key), look)

    def forget(self, drop: Callable[[Key], bool]) -> None:
        """Forget the faces that `drop` names."""
        self._looks = {key: looks for key, looks in self._looks.items() if not drop(key)}


def shown(crop: FaceCrop, said: Evidence, boundary: NDArray[np.uint8], *, rgb: bool) -> WorstLook:
    """A look as it is remembered: what the network said of the crop, its boundary map, with `rgb` the crop itself."""
    assert said.measure is not None
    return WorstLook(crop.media_s, said.measure, said.score, crop.box, boundary.copy(), crop.rgb if rgb else None)


def _worst(held: Sequence[WorstLook], new: WorstLook) -> tuple[WorstLook, ...]:
    recent = [look for look in held if abs(new.media_s - look.media_s) <= KEPT_S]
    if not math.isfinite(new.logit):
        return tuple(recent)
    rivals = [look for look in recent if int(look.media_s) == int(new.media_s)]
    if any(look.logit >= new.logit for look in rivals):
        return tuple(recent)
    others = [look for look in recent if int(look.media_s) != int(new.media_s)]
    return tuple(sorted((*others, new), key=lambda look: -look.logit)[:MOST])
