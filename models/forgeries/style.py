# SPDX-License-Identifier: Apache-2.0
"""How a forger works: few numbers that every kind of forgery scales its draws by, and that a contest can search."""

from dataclasses import dataclass
from typing import Final

__all__ = ["PLAIN", "Style"]


@dataclass(frozen=True, slots=True)
class Style:
    """Factors on what a forgery draws; `PLAIN` leaves the published ranges as they are.

    `colour` scales the difference in colour, `detail` the loss of resolution, `softness` the width of the mask's edge,
    `displacement` how far the face is misplaced, `bending` how irregular the mask's outline is (each 0.25..2);
    `enhanced` is the share of forgeries sharpened afterwards, `transparent` the share blended less than fully (0..1).
    """

    colour: float = 1.0
    detail: float = 1.0
    softness: float = 1.0
    displacement: float = 1.0
    bending: float = 1.0
    enhanced: float = 0.5
    transparent: float = 0.4


PLAIN: Final = Style()
