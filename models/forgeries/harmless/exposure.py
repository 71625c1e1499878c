# SPDX-License-Identifier: Apache-2.0
"""Exposure steps: a camera that sets its brightness anew, at once or in ramps, as when a screen lights a face."""

import numpy as np

from models.forgeries.clip import Clip, Pixels

__all__ = ["exposure_steps"]


def exposure_steps(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Multiply the frames by gains that step once or twice and settle again over some frames."""
    steps = np.zeros(clip.frames)
    for at in rng.integers(0, clip.frames, size=int(rng.integers(1, 3))):
        settle = float(rng.uniform(0.0, 0.9))
        after = np.arange(clip.frames - at)
        steps[at:] += rng.choice((-1.0, 1.0)) * rng.uniform(0.15, 0.45) * settle**after
    gains = np.exp(steps) * float(np.exp(rng.normal(0.0, 0.08)))
    levels = np.arange(256, dtype=np.float32) / 255.0
    tables = np.clip(np.rint(255.0 * _shoulder(levels[None] * gains[:, None])), 0, 255).astype(np.uint8)
    return np.stack([table[rgb] for table, rgb in zip(tables, clip.rgb, strict=True)])


def _shoulder(light: np.ndarray) -> np.ndarray:
    """Bend what is brighter than .9 towards white, as cameras do, in place of a hard clip."""
    over = np.maximum(light - 0.9, 0.0)
    return np.asarray(np.minimum(light, 0.9) + 0.1 * (1.0 - np.exp(-over / 0.1)))
