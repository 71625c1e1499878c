# SPDX-License-Identifier: Apache-2.0
"""Motion blur: the picture smeared along the head's own motion, or along a drawn one that comes and goes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Pixels
from models.forgeries.motion import wander
from models.forgeries.regions import OVAL, face_px

__all__ = ["motion_blur"]


def motion_blur(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Smear every frame by a share of its motion, by at least a little in one frame."""
    size = face_px(clip.points[0])
    middles = clip.points[:, list(OVAL)].mean(axis=1)
    own = np.gradient(middles, axis=0) if clip.frames > 1 else np.zeros_like(middles)
    direction = float(rng.uniform(0.0, np.pi))
    drawn = 0.03 * size * wander(rng, clip.frames, 0.5)[:, None] * np.array([np.cos(direction), np.sin(direction)])
    smears = float(rng.uniform(0.5, 1.5)) * own + drawn
    lengths = np.linalg.norm(smears, axis=1)
    least = 0.03 * size
    if lengths.max() < least:
        smears = smears * (least / max(float(lengths.max()), 1e-6))
    return np.stack([_smeared(rgb, smear) for rgb, smear in zip(clip.rgb, smears, strict=True)])


def _smeared(rgb: Pixels, smear: NDArray[np.float64]) -> Pixels:
    """Average along a line of `smear` pixels."""
    reach = int(np.ceil(np.abs(smear).max() / 2))
    if reach < 1:
        return rgb
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    ends = [np.rint(8 * (reach + sign * smear / 2)).astype(int).tolist() for sign in (-1, 1)]
    cv2.line(kernel, tuple(ends[0]), tuple(ends[1]), 1.0, 1, cv2.LINE_AA, 3)
    return np.asarray(cv2.filter2D(rgb, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101), np.uint8)
