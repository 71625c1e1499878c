# SPDX-License-Identifier: Apache-2.0
"""What cameras, networks and codecs do to a clip: drawn once, applied alike to a real clip and to its forged twin."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from models.data.codec import Compression, compress, jpeg
from models.forgeries.clip import Pixels
from models.forgeries.colour import ColourShift, draw_colour

__all__ = ["Damage", "draw_damage"]

VP8_QUANTISERS: Final = (8, 50)
H264_QUANTISERS: Final = (20, 39)
JPEG_QUALITIES: Final = (35, 96)
LEAST_FACE_PX: Final = 48.0
CROP_FACE_PX: Final = 86.0
"""Longer side of the face in an exported picture: 112 / 1.3."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One draw of everything that happens to a clip on its way; `seed` fixes the noise of every frame."""

    colour: ColourShift | None
    grey: bool
    noise: float
    blur_px: float
    width: float
    compression: Compression | None
    jpeg_quality: int | None
    seed: int

    def apply(self, clip: Pixels) -> Pixels:
        """Damage a clip uint8 [T, S, S, 3]; both twins of a pair get exactly the same."""
        result = self.colour.apply(clip) if self.colour else clip
        if self.blur_px > 0:
            result = np.stack([cv2.GaussianBlur(rgb, (0, 0), self.blur_px) for rgb in result])
        if self.noise > 0:
            result = self._with_noise(result)
        return self._transported(to_grey(result) if self.grey else result)

    def _with_noise(self, clip: Pixels) -> Pixels:
        rng = np.random.default_rng(self.seed)
        side = clip.shape[1]
        coarse = rng.standard_normal((*clip.shape[:3], 3), np.float32) * self.noise
        if side > 0 and self.seed % 2:
            coarse = np.stack([cv2.GaussianBlur(frame, (0, 0), 0.7) * 1.8 for frame in coarse])
        return np.clip(np.rint(clip + coarse), 0, 255).astype(np.uint8)

    def _transported(self, clip: Pixels) -> Pixels:
        side = clip.shape[1]
        width_px = max(16, round(side * self.width))
        if self.compression:
            return compress(clip, self.compression, width_px)
        if self.width < 1.0:
            small = (cv2.resize(rgb, (width_px, width_px), interpolation=cv2.INTER_AREA) for rgb in clip)
            small = (jpeg(np.asarray(rgb), self.jpeg_quality) if self.jpeg_quality else rgb for rgb in small)
            return np.stack([cv2.resize(rgb, (side, side), interpolation=cv2.INTER_LINEAR) for rgb in small])
        return np.stack([jpeg(rgb, self.jpeg_quality) for rgb in clip]) if self.jpeg_quality else clip


def to_grey(clip: Pixels) -> Pixels:
    """Take the colour away, uint8 [T, S, S, 3]."""
    return np.stack([cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for rgb in clip])


def _draw_compression(rng: np.random.Generator) -> Compression:
    codec = "vp8" if rng.random() < 0.5 else "h264"
    low, high = VP8_QUANTISERS if codec == "vp8" else H264_QUANTISERS
    return Compression(codec, int(rng.integers(low, high)))


def draw_damage(rng: np.random.Generator, *, grey: bool) -> Damage:
    """Draw the damage of one pair; a grey original makes both twins grey."""
    transport = rng.random()
    low_light = rng.random() < 0.15
    return Damage(
        colour=draw_colour(rng, 1.6 if low_light else 1.0) if rng.random() < 0.7 else None,
        grey=grey or rng.random() < 0.04,
        noise=float(rng.uniform(1.0, 10.0 if low_light else 4.0)) if low_light or rng.random() < 0.2 else 0.0,
        blur_px=float(rng.uniform(0.3, 1.4)) if rng.random() < 0.25 else 0.0,
        width=float(rng.uniform(LEAST_FACE_PX / CROP_FACE_PX, 1.0)) if rng.random() < 0.5 else 1.0,
        compression=_draw_compression(rng) if transport < 0.5 else None,
        jpeg_quality=int(rng.integers(*JPEG_QUALITIES)) if 0.5 <= transport < 0.75 else None,
        seed=int(rng.integers(2**31)),
    )
