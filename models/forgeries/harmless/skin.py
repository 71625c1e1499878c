# SPDX-License-Identifier: Apache-2.0
"""Beauty smoothing: texture taken from the skin with a very soft border, or denoising of the whole picture."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Pixels, blend
from models.forgeries.masks import MaskRecipe
from models.forgeries.regions import INNER_LIPS, LEFT_EYE, OVAL, RIGHT_EYE, hull_mask

__all__ = ["smooth_picture", "smooth_skin"]

KEPT: Final = (LEFT_EYE, RIGHT_EYE, INNER_LIPS)
FLAT: Final = np.zeros((6, 6, 2), np.float32)


def smooth_picture(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Smooth everything but edges, as denoising in cameras does."""
    strength = float(rng.uniform(15, 45))
    return np.stack([_smoothed(rgb, strength) for rgb in clip.rgb])


def smooth_skin(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Smooth the skin and perhaps lighten it; eyes and mouth are spared by half of the filters."""
    strength, lighter = float(rng.uniform(15, 40)), float(max(0.0, rng.normal(0.02, 0.04)))
    spared = rng.random() < 0.5
    scale = clip.side_px / 168
    mask = MaskRecipe(OVAL, 1.05, FLAT, 9.0 * scale, float(rng.uniform(0.4, 0.9)))
    treated = []
    for rgb, points in zip(clip.rgb, clip.points, strict=True):
        weight = mask.render(points, clip.side_px)
        weight = weight * (1.0 - _spared(points, clip.side_px)) if spared else weight
        soft = cv2.convertScaleAbs(_smoothed(rgb, strength), alpha=1.0 + lighter, beta=40.0 * lighter)
        treated.append(blend(rgb, np.asarray(soft, np.uint8), weight))
    return np.stack(treated)


def _smoothed(rgb: Pixels, strength: float) -> Pixels:
    return np.asarray(cv2.bilateralFilter(rgb, 7, strength, 4.0), np.uint8)


def _spared(points: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    hard = np.max([hull_mask(points[list(region)], side_px) for region in KEPT], axis=0)
    return np.asarray(cv2.GaussianBlur(hard, (0, 0), 2.5 * side_px / 168), np.float32)
