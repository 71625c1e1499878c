# SPDX-License-Identifier: Apache-2.0
"""White-balance drift: the gains of red and blue wander over the clip, or a coloured lamp tints all of it."""

import cv2
import numpy as np

from models.forgeries.clip import Clip, Pixels
from models.forgeries.motion import wander

__all__ = ["white_balance_drift"]


def white_balance_drift(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Change the balance of red against blue, and a little of green, slowly over time."""
    reach = float(rng.uniform(0.04, 0.14))
    warmth = reach * (float(rng.choice((-1.0, 1.0))) + 0.5 * wander(rng, clip.frames, 0.9))
    green = 0.3 * reach * wander(rng, clip.frames, 0.95)
    gains = np.exp(np.stack([warmth, green, -warmth], axis=1))
    tables = np.clip(np.rint(np.arange(256)[None, :, None] * gains[:, None, :]), 0, 255).astype(np.uint8)
    return np.stack(
        [np.asarray(cv2.LUT(rgb, table[None]), np.uint8) for rgb, table in zip(clip.rgb, tables, strict=True)]
    )
