# SPDX-License-Identifier: Apache-2.0
"""Make-up: tinted lips, shadow above the eyes, rouge on the cheeks; worn, or drawn by a filter."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Pixels, blend
from models.forgeries.colour import draw_colour
from models.forgeries.regions import INNER_LIPS, LEFT_BROW, LEFT_EYE, MOUTH, RIGHT_BROW, RIGHT_EYE, face_px, hull_mask

__all__ = ["make_up"]

LIDS: Final = (LEFT_EYE + LEFT_BROW[:5], RIGHT_EYE + RIGHT_BROW[:5])
CHEEKS: Final = (205, 425)


def make_up(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Tint the lips, and now and then lids and cheeks, alike in every frame."""
    strengths = (rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.5) * (rng.random() < 0.5), rng.uniform(0.15, 0.35) *
                 (rng.random() < 0.5))  # fmt: skip
    colours = [draw_colour(rng, 1.5) for _ in strengths]
    treated = []
    for rgb, points in zip(clip.rgb, clip.points, strict=True):
        made_up = rgb
        weights = _lips(points, clip.side_px), _lids(points, clip.side_px), _cheeks(points, clip.side_px)
        for strength, colour, weight in zip(strengths, colours, weights, strict=True):
            made_up = blend(made_up, colour.apply(rgb), weight * np.float32(strength)) if strength else made_up
        treated.append(made_up)
    return np.stack(treated)


def _lips(points: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    lips = hull_mask(points[list(MOUTH)], side_px) - hull_mask(points[list(INNER_LIPS)], side_px)
    return _soft(np.clip(lips, 0.0, 1.0), 0.012 * face_px(points))


def _lids(points: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    lids = np.max([hull_mask(points[list(region)], side_px) for region in LIDS], axis=0)
    eyes = np.max([hull_mask(points[list(region)], side_px) for region in (LEFT_EYE, RIGHT_EYE)], axis=0)
    return _soft(np.clip(lids - eyes, 0.0, 1.0), 0.02 * face_px(points))


def _cheeks(points: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    spots = np.zeros((side_px, side_px), np.float32)
    for x, y in points[list(CHEEKS)]:
        cv2.circle(spots, (round(float(x)), round(float(y))), max(2, round(0.07 * face_px(points))), 1.0, -1)
    return _soft(spots, 0.05 * face_px(points))


def _soft(mask: NDArray[np.float32], softness_px: float) -> NDArray[np.float32]:
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.6, softness_px))
    return np.asarray(np.clip((soft - 0.02) / 0.96, 0.0, 1.0), np.float32)
