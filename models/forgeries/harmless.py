# SPDX-License-Identifier: Apache-2.0
"""Harmless treatments of a real face that must not count as forgery: smooth skin, sharpening, make-up."""

import cv2
import numpy as np

from models.forgeries.clip import Clip, Pixels, blend
from models.forgeries.colour import draw_colour
from models.forgeries.detail import unsharp
from models.forgeries.masks import MaskRecipe
from models.forgeries.regions import MOUTH, OVAL

__all__ = ["harmless"]


def harmless(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Treat a real clip as a camera or a beauty filter would; uint8 [T, S, S, 3] still labelled real."""
    treatment = int(rng.integers(4))
    if treatment == 0:
        amount = float(rng.uniform(0.3, 1.5))
        return np.stack([unsharp(rgb, amount) for rgb in clip.rgb])
    if treatment == 1:
        strength = float(rng.uniform(15, 45))
        return np.stack([np.asarray(cv2.bilateralFilter(rgb, 7, strength, 4.0), np.uint8) for rgb in clip.rgb])
    if treatment == 2:
        return _smooth_skin(clip, rng)
    return _make_up(clip, rng)


def _smooth_skin(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Smooth the skin only, with a very soft border."""
    strength = float(rng.uniform(15, 40))
    mask = MaskRecipe(OVAL, 1.05, np.zeros((6, 6, 2), np.float32), 9.0, float(rng.uniform(0.4, 0.9)))
    smoothed = (np.asarray(cv2.bilateralFilter(rgb, 7, strength, 4.0), np.uint8) for rgb in clip.rgb)
    return np.stack(
        [
            blend(rgb, soft, mask.render(points, clip.side_px))
            for rgb, points, soft in zip(clip.rgb, clip.points, smoothed, strict=True)
        ]
    )


def _make_up(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Tint the lips."""
    colour = draw_colour(rng, 1.0)
    mask = MaskRecipe(MOUTH, 1.0, np.zeros((6, 6, 2), np.float32), 2.5, float(rng.uniform(0.2, 0.5)))
    return np.stack(
        [
            blend(rgb, colour.apply(rgb), mask.render(points, clip.side_px))
            for rgb, points in zip(clip.rgb, clip.points, strict=True)
        ]
    )
