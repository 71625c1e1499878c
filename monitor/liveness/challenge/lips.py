# SPDX-License-Identifier: Apache-2.0
"""Crops of one face in; how far its mouth moved, and how well it went with what was heard, out.

The measure is that of the cue `synchrony` (`monitor.liveness.speech.agreement`), turned round: there the mouth is
suspected of following too well, here of not following at all.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.synchrony.features import mouth
from monitor.liveness.speech.agreement import Agreement, agreement
from monitor.values import FaceCrop

__all__ = ["Lips"]

Floats = NDArray[np.float32]

MOST_YAW_DEG: Final = 35.0
"""A mouth seen from the side has another shape."""

MOST_LOOKS: Final = 600
OPENING: Final = 0


class Lips:
    """Mouths of one face; `scale` is how far each number of a mouth moves in speech."""

    def __init__(self, scale: Floats) -> None:
        self._scale = scale
        self._times_s: list[float] = []
        self._mouths: list[Floats] = []

    def add(self, crop: FaceCrop, at_s: float) -> None:
        """Take in a look; one that does not show the mouth is left out, and all after MOST_LOOKS."""
        if crop.landmarks is None or crop.quality.yaw_deg > MOST_YAW_DEG or len(self._times_s) >= MOST_LOOKS:
            return
        self._times_s.append(at_s)
        self._mouths.append(mouth(crop.landmarks.points, crop.landmarks.blendshapes) / self._scale)

    @property
    def looks(self) -> int:
        """How often the mouth was seen."""
        return len(self._times_s)

    def opening(self) -> float:
        """Standard deviation of the opening of the lips, 1 being that of speech; 0 when it was not seen."""
        return float(np.std([shape[OPENING] for shape in self._mouths])) if self._mouths else 0.0

    def fit(self, expected: Floats, grid_s: float) -> Agreement | None:
        """How well the mouths go with those expected each `grid_s` from 0 on; None when too few were seen."""
        if not self._mouths:
            return None
        return agreement(np.array(self._times_s), np.stack(self._mouths), 0.0, expected, grid_s)
