# SPDX-License-Identifier: Apache-2.0
"""Fine detail: what small generators and enhancers do to it, drawn once for a clip."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from models.forgeries.clip import Pixels
from models.forgeries.style import PLAIN, Style
from models.forgeries.upsampling import UpSampling, draw_upsampling

__all__ = ["DetailLoss", "draw_detail", "match_sharpness", "sharpness", "unsharp"]

DOWN: Final = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST)
UP: Final = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST, cv2.INTER_LANCZOS4)
LEAST_SCALE: Final = 0.1
SMOOTH_SHARE: Final = 0.3
UPSAMPLED_SHARE: Final = 0.35
"""Of losses of detail, so that blur is not all there is to learn: real generators leave their up-sampling behind."""


@dataclass(frozen=True, slots=True)
class DetailLoss:
    """Through `scale` of the resolution and back, there with the traces of a generator's `upsampling`, then smoothed,
    then sharpened by `unsharp` (0: not at all) at `radius_px`, which after smoothing leaves skin without texture and
    edges with ringing, as enhancers do.
    """

    scale: float
    down: int
    up: int
    smooth_px: float
    unsharp: float
    radius_px: float = 1.2
    upsampling: UpSampling | None = None

    def apply(self, rgb: Pixels) -> Pixels:
        """Treat one picture uint8 [S, S, 3]."""
        side = rgb.shape[0]
        small = max(8, round(side * min(self.scale, 1.0)))
        result = np.asarray(cv2.resize(rgb, (small, small), interpolation=self.down), np.uint8) if small < side else rgb
        if self.upsampling:
            result = self.upsampling.apply(result)
        if small < side:
            result = np.asarray(cv2.resize(result, (side, side), interpolation=self.up), np.uint8)
        if self.smooth_px > 0:
            result = np.asarray(cv2.bilateralFilter(result, 5, 30.0, self.smooth_px), np.uint8)
        return unsharp(result, self.unsharp, self.radius_px)


def unsharp(rgb: Pixels, amount: float, radius_px: float = 1.2) -> Pixels:
    """Sharpen by the difference to a blurred copy."""
    if amount <= 0:
        return rgb
    soft = cv2.GaussianBlur(rgb, (0, 0), radius_px)
    return np.asarray(cv2.addWeighted(rgb, 1.0 + amount, soft, -amount, 0.0), np.uint8)


def draw_detail(rng: np.random.Generator, lowest: float, highest: float = 0.9, style: Style = PLAIN) -> DetailLoss:
    """Draw a loss of detail with a scale between `lowest` and `highest` (at `PLAIN`), often followed by an enhancer."""
    smooth = rng.random() < SMOOTH_SHARE
    enhanced = rng.random() < style.enhanced
    return DetailLoss(
        scale=max(LEAST_SCALE, 1.0 - style.detail * (1.0 - float(rng.uniform(lowest, highest)))),
        down=int(rng.choice(DOWN, p=(0.5, 0.35, 0.15))),
        up=int(rng.choice(UP, p=(0.4, 0.35, 0.1, 0.15))),
        smooth_px=float(rng.uniform(1.0, 4.0)) if smooth else 0.0,
        unsharp=float(rng.uniform(0.3, 1.6)) if enhanced else 0.0,
        radius_px=float(rng.uniform(0.8, 2.2)),
        upsampling=draw_upsampling(rng) if rng.random() < UPSAMPLED_SHARE else None,
    )


def sharpness(rgb: Pixels) -> float:
    """Standard deviation of the Laplacian of the luma."""
    return float(cv2.Laplacian(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.CV_32F).std())


def match_sharpness(sharp: Pixels, like: Pixels) -> float:
    """Find the blur (standard deviation in pixels, 0 for none) that makes `sharp` as blurred as `like` on the whole.

    Forgeries are blurrier or sharper than their originals on the whole; without this that would be what is learnt.
    """
    aim = sharpness(like)
    if sharpness(sharp) <= aim:
        return 0.0
    low, high = 0.15, 3.0
    for _ in range(5):
        middle = (low * high) ** 0.5
        blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), middle), np.uint8)
        low, high = (middle, high) if sharpness(blurred) > aim else (low, middle)
    return float((low * high) ** 0.5)
