# SPDX-License-Identifier: Apache-2.0
"""Sharpening as webcams do it: an unsharp mask that may leave halos round edges."""

import numpy as np

from models.forgeries.clip import Clip, Pixels
from models.forgeries.detail import unsharp

__all__ = ["sharpening"]


def sharpening(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Sharpen every picture alike."""
    amount, radius_px = float(rng.uniform(0.3, 1.8)), float(rng.uniform(0.7, 2.2)) * clip.side_px / 168
    return np.stack([unsharp(rgb, amount, radius_px) for rgb in clip.rgb])
