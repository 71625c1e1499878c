# SPDX-License-Identifier: Apache-2.0
"""Looks at a participant in, the crop of the one face that answers out, or why there is no such face."""

from typing import Final

from monitor.liveness.challenge.task import Finding, inconclusive
from monitor.values import FaceCrop, FaceLook

__all__ = ["OneFace"]

LOST_S: Final = 2.0
"""A hand or a turn hides a face for less; after longer it may be another one that comes back."""

TWO_LOOKS: Final = 3
"""A second face seen so often in a row is there; single ones are pictures on the wall and mistakes of the finder."""

PASSER_BY: Final = 0.5
"""Faces under half the size are in the background."""


class OneFace:
    """Follows the face that was alone at the start; it must stay, and stay alone."""

    def __init__(self) -> None:
        self.track: int | None = None
        self._seen_s = 0.0
        self._crowded = 0

    def find(self, look: FaceLook, at_s: float) -> FaceCrop | Finding | None:
        """The face's crop; None in a look without it; a finding when nobody can say any more who answers."""
        near = _near(look)
        self._crowded = self._crowded + 1 if len(near) > 1 else 0
        if self._crowded >= TWO_LOOKS:
            return inconclusive("More than one face was before the camera.")
        if self.track is None and len(near) == 1:
            self.track = near[0].track
        own = next((crop for crop in look.crops if crop.track == self.track), None)
        if own is not None:
            self._seen_s = at_s
            return own
        if self.track is not None and len(near) == 1:
            return inconclusive("Another face took the place of the one that was asked.")
        return inconclusive("The face was lost.") if at_s - self._seen_s > LOST_S else None


def _near(look: FaceLook) -> list[FaceCrop]:
    largest_px = max((crop.quality.face_px for crop in look.crops), default=0.0)
    return [crop for crop in look.crops if crop.quality.face_px >= PASSER_BY * largest_px]
