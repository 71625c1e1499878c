# SPDX-License-Identifier: Apache-2.0
"""Colour: a drawn change for all frames of a clip, and the colours of one face given to another."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Pixels

__all__ = ["ColourShift", "draw_colour", "transfer"]


@dataclass(frozen=True, slots=True)
class ColourShift:
    """Per-channel gain and offset, a share of grey, and a gamma; identity is gain 1, offset 0, grey 0, gamma 1."""

    gain: tuple[float, float, float]
    offset: tuple[float, float, float]
    grey: float
    gamma: float

    def apply(self, rgb: Pixels) -> Pixels:
        """Recolour pictures uint8 [..., 3]."""
        levels = np.arange(256, dtype=np.float32)
        bent = 255.0 * (levels / 255.0) ** self.gamma
        tables = [bent * gain + offset for gain, offset in zip(self.gain, self.offset, strict=True)]
        table = np.clip(np.rint(np.stack(tables, axis=1)), 0, 255).astype(np.uint8)[None]
        flat = cv2.LUT(np.ascontiguousarray(rgb).reshape(-1, rgb.shape[-2], 3), table)
        if self.grey > 0:
            luma = cv2.cvtColor(cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
            flat = cv2.addWeighted(flat, 1.0 - self.grey, luma, self.grey, 0.0)
        return np.asarray(flat, np.uint8).reshape(rgb.shape)


def draw_colour(rng: np.random.Generator, strength: float = 1.0) -> ColourShift:
    """Draw a change of colour, contrast and brightness; ranges follow self-blended images (+-20 levels, +-.1)."""
    common = rng.normal(0.0, 0.07) * strength
    gain = 1.0 + common + rng.normal(0.0, 0.035, 3) * strength
    offset = rng.normal(0.0, 6.0, 3) * strength + rng.normal(0.0, 6.0) * strength
    grey = max(0.0, float(rng.uniform(-0.5, 0.3)) * strength)
    gamma = float(np.exp(rng.normal(0.0, 0.12) * strength))
    red, green, blue = (float(value) for value in gain)
    return ColourShift((red, green, blue), (float(offset[0]), float(offset[1]), float(offset[2])), grey, gamma)


def transfer(rgb: Pixels, like: Pixels, mask: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Give `rgb` the mean and spread of colour that `like` has inside `mask` (Reinhard et al. 2001, in Lab).

    Pictures uint8 [S, S, 3]; `strength` 0..1 of the way; returns float32 0..255, changed where the mask is not 0.
    """
    chosen = mask > 0.3
    if int(chosen.sum()) < 32:
        return rgb.astype(np.float32)
    left, top, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    box = np.s_[top : top + height, left : left + width]
    source = cv2.cvtColor(rgb[box], cv2.COLOR_RGB2LAB).astype(np.float32)
    target = cv2.cvtColor(like[box], cv2.COLOR_RGB2LAB)[chosen[box]].astype(np.float32)
    inside = source[chosen[box]]
    spread = np.clip((target.std(axis=0) + 1.0) / (inside.std(axis=0) + 1.0), 0.6, 1.6)
    moved = (source - inside.mean(axis=0)) * spread + target.mean(axis=0)
    mixed = np.clip(source + strength * (moved - source), 0, 255).astype(np.uint8)
    result = rgb.astype(np.float32)
    result[box] = cv2.cvtColor(mixed, cv2.COLOR_LAB2RGB)
    return result
