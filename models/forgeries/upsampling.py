# SPDX-License-Identifier: Apache-2.0
"""Traces of up-sampling: what transposed convolutions and nearest-neighbour layers leave in a generator's pictures.

After Odena, Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts" (Distill 2016): zeros are inserted between
the samples and a small kernel runs over them; a kernel whose phases do not add up alike leaves a grid.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Pixels

__all__ = ["UpSampling", "draw_upsampling"]

FACTORS: Final = (2, 4)
NEAREST_SHARE: Final = 0.35
UNEVEN: Final = (0.02, 0.15)
"""Spread of the kernel's logarithm: at more than this the eye sees the grid, which trained generators avoid."""


@dataclass(frozen=True, slots=True, eq=False)
class UpSampling:
    """Enlargement by `factor` with `kernel` float32 [K, K] (sum factor squared, middle at `anchor`); the result makes
    up `share` of the picture: a generator draws detail of its own between the samples, which the original stands for.
    """

    factor: int
    kernel: NDArray[np.float32]
    anchor: int
    share: float

    def apply(self, rgb: Pixels) -> Pixels:
        """Leave the traces in one picture uint8 [S, S, 3]."""
        side = rgb.shape[0]
        cells = -(-side // self.factor)
        small = cv2.resize(rgb, (cells, cells), interpolation=cv2.INTER_AREA)
        small = cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        sparse = np.zeros(((cells + 2) * self.factor, (cells + 2) * self.factor, 3), np.float32)
        first = (self.factor - 1) // 2
        sparse[first :: self.factor, first :: self.factor] = small
        anchor = (self.anchor, self.anchor)
        full = cv2.filter2D(sparse, -1, self.kernel, anchor=anchor)
        full = full[self.factor : self.factor + side, self.factor : self.factor + side]
        mixed = cv2.addWeighted(rgb.astype(np.float32), 1.0 - self.share, full, self.share, 0.0)
        return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def draw_upsampling(rng: np.random.Generator, strength: float = 1.0) -> UpSampling:
    """Draw an enlargement; `strength` scales how much of it shows and how uneven its kernel is."""
    factor = int(rng.choice(FACTORS, p=(0.75, 0.25)))
    nearest = rng.random() < NEAREST_SHARE
    line = np.ones(factor) if nearest else 1.0 - np.abs(np.arange(1 - factor, factor)) / factor
    uneven = np.exp(rng.normal(0.0, float(rng.uniform(*UNEVEN)) * strength, (len(line), len(line))))
    kernel = np.outer(line, line) * uneven
    kernel *= factor**2 / kernel.sum()
    anchor = factor - 1 - (factor - 1) // 2 if nearest else factor - 1
    return UpSampling(factor, kernel.astype(np.float32), anchor, min(1.0, float(rng.uniform(0.15, 0.5)) * strength))
