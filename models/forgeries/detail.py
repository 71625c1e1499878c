# SPDX-License-Identifier: Apache-2.0
"""Fine detail: what small generators and enhancers do to it, drawn once for a clip."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Pixels

__all__ = ["DetailLoss", "draw_detail", "match_sharpness", "sharpness", "unsharp"]

DOWN: Final = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST)
UP: Final = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST, cv2.INTER_LANCZOS4)


@dataclass(frozen=True, slots=True)
class DetailLoss:
    """Through `scale` of the resolution and back, then smoothed, then sharpened by `unsharp` (0: not at all)."""

    scale: float
    down: int
    up: int
    smooth_px: float
    unsharp: float

    def apply(self, rgb: Pixels) -> Pixels:
        """Treat one picture uint8 [S, S, 3]."""
        side = rgb.shape[0]
        result = rgb
        if self.scale < 1.0:
            small = max(8, round(side * self.scale))
            result = cv2.resize(result, (small, small), interpolation=self.down)
            result = cv2.resize(result, (side, side), interpolation=self.up)
        if self.smooth_px > 0:
            result = cv2.bilateralFilter(result, 5, 30.0, self.smooth_px)
        return unsharp(np.asarray(result, np.uint8), self.unsharp)


def unsharp(rgb: Pixels, amount: float, radius_px: float = 1.2) -> Pixels:
    """Sharpen by the difference to a blurred copy."""
    if amount <= 0:
        return rgb
    soft = cv2.GaussianBlur(rgb, (0, 0), radius_px)
    return np.asarray(cv2.addWeighted(rgb, 1.0 + amount, soft, -amount, 0.0), np.uint8)


def draw_detail(rng: np.random.Generator, lowest: float, highest: float = 0.9) -> DetailLoss:
    """Draw a loss of detail with a scale between `lowest` and `highest`, often followed by an enhancer."""
    enhanced = rng.random() < 0.5
    return DetailLoss(
        scale=float(rng.uniform(lowest, highest)),
        down=int(rng.choice(DOWN, p=(0.5, 0.35, 0.15))),
        up=int(rng.choice(UP, p=(0.4, 0.35, 0.1, 0.15))),
        smooth_px=float(rng.uniform(1.0, 4.0)) if rng.random() < 0.25 else 0.0,
        unsharp=float(rng.uniform(0.3, 1.6)) if enhanced else 0.0,
    )


def sharpness(rgb: Pixels, mask: NDArray[np.float32] | None = None) -> float:
    """Standard deviation of the Laplacian of the luma, inside `mask` > .3 where one is given."""
    edges = cv2.Laplacian(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.CV_32F)
    return float((edges if mask is None else edges[mask > 0.3]).std())


def match_sharpness(rgb: Pixels, like: Pixels, mask: NDArray[np.float32]) -> float:
    """Find the blur (standard deviation in pixels, 0 for none) that makes `rgb` as blurred as `like` inside `mask`.

    Forgeries are blurrier than their originals; without this the blur would be what is learnt.
    """
    if float(mask.max()) <= 0.3:
        return 0.0
    aim = sharpness(like, mask)
    if sharpness(rgb, mask) <= aim:
        return 0.0
    low, high = 0.15, 3.0
    for _ in range(5):
        middle = (low * high) ** 0.5
        blurred = np.asarray(cv2.GaussianBlur(rgb, (0, 0), middle), np.uint8)
        low, high = (middle, high) if sharpness(blurred, mask) > aim else (low, middle)
    return (low * high) ** 0.5
