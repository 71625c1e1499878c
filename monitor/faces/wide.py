# SPDX-License-Identifier: Apache-2.0
"""A picture and where a face lies in it in, the face with its surroundings out, about once a second for each track.

What holds a picture of a face, a display or a sheet, ends beyond the face; networks that look for it want to see that.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.faces.crop import Placement, render, to_crop
from monitor.values import Picture

__all__ = ["EVERY_S", "WIDE_PX", "WideSchedule", "wide"]

MIDDLE_PX: Final = 128
BORDER_PX: Final = 32
WIDE_PX: Final = MIDDLE_PX + 2 * BORDER_PX
"""The middle is the run-time crop of 1.3 x the face box; with its border it shows 1.95 x the box."""

EVERY_S: Final = 1.0
EARLY_S: Final = 0.05
"""A look that comes this much before its time is on time: time stamps are not even."""


class WideSchedule:
    """Says whose surroundings are due; remembers one time for each track."""

    def __init__(self) -> None:
        self._last_s: dict[int, float] = {}

    def due(self, track: int, media_s: float) -> bool:
        """Whether a track's surroundings are due, and count them as taken; time that runs backwards begins anew."""
        since_s = media_s - self._last_s.get(track, -np.inf)
        if 0.0 <= since_s < EVERY_S - EARLY_S:
            return False
        self._last_s[track] = media_s
        return True

    def forget(self, track: int) -> None:
        """Forget a track that has ended."""
        self._last_s.pop(track, None)


def wide(picture: Picture, placement: Placement) -> NDArray[np.uint8]:
    """Cut a face with its surroundings out of a picture: RGB uint8 [192, 192, 3]; beyond it its edge is repeated."""
    return render(picture, to_crop(placement, MIDDLE_PX), MIDDLE_PX, BORDER_PX)
