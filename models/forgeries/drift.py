# SPDX-License-Identifier: Apache-2.0
"""Drifting organs: eyes, nose and mouth each under a fresh small displacement in every frame.

After the video-level blending of Yan et al. (CVPR 2025), written from the published ranges.
"""

import cv2
import numpy as np

from models.forgeries.clip import Clip, Forged, blend
from models.forgeries.regions import ORGANS, hull_mask
from models.forgeries.style import Style
from models.forgeries.warp import about, warp

__all__ = ["drift"]


def drift(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Turn, scale and shift a random choice of organs anew in every frame."""
    side = clip.side_px
    chosen = [organ for organ in ORGANS if rng.random() < 0.6] or [ORGANS[int(rng.integers(len(ORGANS)))]]
    softness_px = float(rng.uniform(1.5, 5.0)) * style.softness * side / 168
    far = style.displacement
    frames, masks = [], []
    for rgb, points in zip(clip.rgb, clip.points, strict=True):
        forged, total = rgb, np.zeros((side, side), np.float32)
        for organ in chosen:
            region = points[list(organ)]
            middle = region.mean(axis=0)
            signs = rng.choice((-1.0, 1.0), 4)
            turn, grow = signs[0] * rng.uniform(1.0, 5.0) * far, signs[1] * rng.uniform(0.01, 0.05) * far
            shift = signs[2:] * rng.uniform(0.5, 2.5, 2) * far * side / 168
            moved = warp(rgb, about(middle, float(turn), float(1.0 + grow), (float(shift[0]), float(shift[1]))))
            mask = hull_mask(middle + 1.25 * (region - middle), side)
            soft = np.clip((cv2.GaussianBlur(mask, (0, 0), softness_px) - 0.02) / 0.96, 0.0, 1.0)
            forged = blend(forged, moved, soft)
            total = np.maximum(total, soft)
        frames.append(forged)
        masks.append(total)
    return Forged(np.stack(frames), np.stack(masks))
