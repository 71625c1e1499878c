# SPDX-License-Identifier: Apache-2.0
"""The inside of a mouth that a still never showed, painted as cheap animators do: a dark hole, sometimes teeth."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Pixels, blend
from models.forgeries.regions import INNER_LIPS, face_px

__all__ = ["MouthInterior", "draw_interior", "opens"]

CLOSED: Final = 0.02
OPENED: Final = 0.015
"""Lips apart by less than the first share of the face show nothing of the mouth; parted by the second more, a hole."""


@dataclass(frozen=True, slots=True)
class MouthInterior:
    """`dark` the hole's share of the lips' colour, `teeth` 0..1 brightness of the upper row (0: none), `softness` of
    the rim as a share of the face.
    """

    dark: float
    teeth: float
    softness: float

    def paint(self, rgb: Pixels, points: NDArray[np.float32]) -> Pixels:
        """Paint into the opening between the lips of landmarks [478, 2]."""
        side = rgb.shape[0]
        rim = points[list(INNER_LIPS)]
        weight = np.zeros((side, side), np.float32)
        cv2.fillPoly(weight, [np.rint(rim * 8).astype(np.int32)], 1.0, cv2.LINE_AA, 3)
        weight = np.asarray(cv2.GaussianBlur(weight, (0, 0), max(0.5, self.softness * face_px(points))), np.float32)
        weight[weight < 0.02] = 0.0
        x, y = np.clip(np.rint(rim), 0, side - 1).astype(int).T
        inside = np.full_like(rgb, (self.dark * rgb[y, x].mean(axis=0)).astype(np.uint8))
        if self.teeth > 0:
            middle, height = rim.mean(axis=0), max(float(np.ptp(rim[:, 1])), 1.0)
            axes = (max(1, round(0.36 * float(np.ptp(rim[:, 0])))), max(1, round(0.3 * height)))
            light = tuple(int(self.teeth * level) for level in (225, 215, 200))
            cv2.ellipse(inside, (round(float(middle[0])), round(float(middle[1] - 0.25 * height))), axes, 0, 0, 360,
                        light, -1)  # fmt: skip
            inside = np.asarray(cv2.GaussianBlur(inside, (0, 0), 1.0), np.uint8)
        return blend(rgb, inside, 0.92 * weight)


def opening(points: NDArray[np.float32]) -> float:
    """Measure how far the lips are apart, as a share of the face, from landmarks [478, 2]."""
    return float(np.linalg.norm(points[14] - points[13])) / face_px(points)


def opens(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether a mouth that was shut at landmarks `before` is open at `after`: what is inside was never seen."""
    return opening(before) < CLOSED and opening(after) > opening(before) + OPENED


def draw_interior(rng: np.random.Generator) -> MouthInterior:
    """Draw how the inside of the mouth is painted throughout a clip."""
    teeth = float(rng.uniform(0.4, 0.9)) if rng.random() < 0.5 else 0.0
    return MouthInterior(float(rng.uniform(0.15, 0.45)), teeth, float(rng.uniform(0.004, 0.012)))
