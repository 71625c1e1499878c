# SPDX-License-Identifier: Apache-2.0
"""Low light: a bent tone curve, coarse noise that is new in every frame, and the smoothing a camera adds to it."""

import cv2
import numpy as np

from models.forgeries.clip import Clip, Pixels

__all__ = ["low_light"]


def low_light(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Darken the picture or lift its shadows (gamma .4 to 1.8), add shot and read noise, smooth some of it away."""
    gamma, gain = float(np.exp(rng.uniform(np.log(0.55), np.log(1.8)))), float(rng.uniform(0.55, 0.95))
    shot, read = float(rng.uniform(0.2, 0.9)), float(rng.uniform(1.0, 5.0))
    chroma = float(rng.uniform(0.3, 1.0))
    grain_px, smooth = float(rng.uniform(0.0, 0.9)), rng.random() < 0.5
    dark = 255.0 * gain * (np.arange(256) / 255.0) ** gamma
    level = dark.astype(np.float32)[clip.rgb]
    treated = []
    for light in level:
        noise = _noise(light.shape, chroma, grain_px, rng) * np.sqrt(shot * light + read**2)
        noisy = np.clip(np.rint(light + noise), 0, 255).astype(np.uint8)
        treated.append(np.asarray(cv2.bilateralFilter(noisy, 5, 25.0, 2.0), np.uint8) if smooth else noisy)
    return np.stack(treated)


def _noise(shape: tuple[int, ...], chroma: float, grain_px: float, rng: np.random.Generator) -> np.ndarray:
    """Unit noise, a share of it alike in all channels, its grain as coarse as a demosaicked picture's."""
    common = rng.standard_normal((shape[0], shape[1], 1), np.float32)
    own = rng.standard_normal(shape, np.float32)
    mixed = (1.0 - chroma) * common + chroma * own
    if grain_px > 0.3:
        mixed = cv2.GaussianBlur(mixed, (0, 0), grain_px) * (2.0 * grain_px)
    return np.asarray(mixed, np.float32)
