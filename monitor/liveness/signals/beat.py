# SPDX-License-Identifier: Apache-2.0
"""Media times of looks in, which of them fall on a steady beat out."""

from enum import Enum
from typing import Final

__all__ = ["BEAT_S", "Beat", "Step"]

BEAT_S: Final = 0.2
EARLY: Final = 0.75
"""A look that comes within this share of a beat after the last one tells nothing new and is passed over."""


class Step(Enum):
    """What a look is to the ones before it."""

    ON = "on"
    PASSED_OVER = "passed over"
    ANEW = "anew"


class Beat:
    """Thins looks to one a beat; says when a gap, or time that runs back, makes what was seen before worthless."""

    def __init__(self, gap_s: float) -> None:
        self._gap_s = gap_s
        self._last_s: float | None = None

    def step(self, media_s: float) -> Step:
        """Take in the time of the next look."""
        since_s = media_s - self._last_s if self._last_s is not None else -1.0
        if 0.0 <= since_s < EARLY * BEAT_S:
            return Step.PASSED_OVER
        self._last_s = media_s
        return Step.ON if 0.0 <= since_s <= self._gap_s else Step.ANEW
