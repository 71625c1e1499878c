# SPDX-License-Identifier: Apache-2.0
"""The inside of a mouth that a still never showed, painted as cheap animators do: a dark hole, sometimes teeth."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Pixels, blend
from models.forgeries.regions import INNER_LIPS, face_px

__all__ = ["MouthInterior", "draw_interior", "opening"]


@dataclass(frozen=True, slots=True)
class MouthInterior:
    """`dark` red, green and blue of the hole, `teeth` 0..1 brightness of the upper row (0: none), `softness` of the rim
    as a share of the face.
    """

    dark: tuple[int, int, int]
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
        inside = np.full_like(rgb, np.array(self.dark, np.uint8))
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


def draw_interior(rng: np.random.Generator) -> MouthInterior:
    """Draw how the inside of the mouth is painted throughout a clip."""
    red = int(rng.integers(25, 75))
    teeth = float(rng.uniform(0.4, 0.9)) if rng.random() < 0.5 else 0.0
    return MouthInterior((red, red // 3, red // 3), teeth, float(rng.uniform(0.004, 0.012)))
