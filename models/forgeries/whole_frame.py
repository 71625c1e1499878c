# SPDX-License-Identifier: Apache-2.0
"""Whole frame: everything in the picture drawn anew by cheap, unlearned steps that leave a generator's traces.

For wholly generated persons, whose pictures have no blending boundary: texture shrunk in a Laplacian pyramid (Burt and
Adelson 1983; soft threshold after Donoho 1995), colours snapped to few values, up-sampling grids, texture that sticks
to the picture while the face moves (Karras et al., Alias-Free GAN, 2021), geometry that swims.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Forged, Pixels
from models.forgeries.colour import ColourShift, draw_colour
from models.forgeries.detail import DetailLoss, draw_detail, unsharp
from models.forgeries.masks import bend, smooth_field
from models.forgeries.motion import wander
from models.forgeries.style import Style
from models.forgeries.upsampling import UpSampling, draw_upsampling

__all__ = ["Rendering", "draw_rendering", "whole_frame"]

SHRUNK_SHARE: Final = 0.6
SNAPPED_SHARE: Final = 0.4
UPSAMPLED_SHARE: Final = 0.6
STUCK_SHARE: Final = 0.3
SWIMMING_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """One draw of a generator's hand: thresholds in grey levels for the finest two scales of texture (0: kept), steps
    of chroma in levels (0: free), up-sampling, loss of detail, crispness of edges and colour.
    """

    shrink: tuple[float, float]
    chroma_step: int
    upsampling: UpSampling | None
    detail: DetailLoss | None
    crisp: float
    colour: ColourShift

    def apply(self, rgb: Pixels) -> Pixels:
        """Draw one picture uint8 [S, S, 3] anew."""
        result = shrink_texture(rgb, self.shrink) if any(self.shrink) else rgb
        result = snap_chroma(result, self.chroma_step) if self.chroma_step else result
        result = self.detail.apply(result) if self.detail else result
        result = self.upsampling.apply(result) if self.upsampling else result
        return self.colour.apply(unsharp(result, self.crisp, 1.6))


def whole_frame(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Draw every picture anew by the same rendering; texture may stick to the picture and geometry may swim."""
    rendering = draw_rendering(rng, style)
    drawn = [rendering.apply(rgb) for rgb in clip.rgb]
    if clip.frames > 1 and rng.random() < STUCK_SHARE:
        drawn = _stuck(drawn, float(rng.uniform(0.4, 0.9)))
    if rng.random() < SWIMMING_SHARE:
        drawn = _swimming(drawn, rng, style)
    return Forged(np.stack(drawn), np.ones(clip.rgb.shape[:3], np.float32))


def draw_rendering(rng: np.random.Generator, style: Style) -> Rendering:
    """Draw a rendering; at least one of texture, up-sampling and detail is changed."""
    shrunk, upsampled = rng.random() < SHRUNK_SHARE, rng.random() < UPSAMPLED_SHARE
    fine = float(rng.uniform(3.0, 12.0)) * style.detail if shrunk else 0.0
    detail = draw_detail(rng, 0.45, 0.9, style) if not (shrunk or upsampled) or rng.random() < 0.4 else None
    crisp = rng.random() < style.enhanced and not (detail and detail.unsharp)
    return Rendering(
        shrink=(fine, fine * float(rng.uniform(0.0, 0.8))),
        chroma_step=int(rng.integers(4, 13)) if rng.random() < SNAPPED_SHARE else 0,
        upsampling=draw_upsampling(rng) if upsampled else None,
        detail=detail,
        crisp=float(rng.uniform(0.2, 1.0)) if crisp else 0.0,
        colour=draw_colour(rng, 0.3 * style.colour),
    )


def shrink_texture(rgb: Pixels, thresholds: tuple[float, float]) -> Pixels:
    """Take weak texture away and leave strong edges: soft thresholds on the finest two scales."""
    side = rgb.shape[0]
    level, kept = rgb.astype(np.float32), []
    for threshold in thresholds:
        coarse = cv2.resize(level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        band = level - cv2.resize(coarse, (level.shape[1], level.shape[0]), interpolation=cv2.INTER_LINEAR)
        kept.append(band - np.clip(band, -threshold, threshold))
        level = np.asarray(coarse, np.float32)
    for band in reversed(kept):
        level = cv2.resize(level, (band.shape[1], band.shape[0]), interpolation=cv2.INTER_LINEAR) + band
    return np.clip(np.rint(level[:side, :side]), 0, 255).astype(np.uint8)


def snap_chroma(rgb: Pixels, step: int) -> Pixels:
    """Allow chroma (YCrCb) only every `step` levels, at half the resolution, as a small code book would."""
    ycc = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
    side = rgb.shape[0]
    small = cv2.resize(ycc[:, :, 1:], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    snapped = np.clip(np.rint(small.astype(np.float32) / step) * step, 0, 255).astype(np.uint8)
    ycc[:, :, 1:] = cv2.resize(snapped, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB), np.uint8)


def _stuck(pictures: list[Pixels], share: float) -> list[Pixels]:
    """Give every picture a share of the first one's finest texture, at the same pixels."""
    soft = [np.asarray(cv2.GaussianBlur(rgb, (0, 0), 1.5), np.float32) for rgb in pictures]
    texture = pictures[0] - soft[0]
    mixed = (below + (1.0 - share) * (rgb - below) + share * texture for rgb, below in zip(pictures, soft, strict=True))
    return [np.clip(np.rint(rgb), 0, 255).astype(np.uint8) for rgb in mixed]


def _swimming(pictures: list[Pixels], rng: np.random.Generator, style: Style) -> list[Pixels]:
    """Bend every picture by two smooth fields whose weights wander."""
    reach_px = 0.006 * style.displacement * pictures[0].shape[0]
    one, other = smooth_field(rng, reach_px), smooth_field(rng, reach_px)
    weights: NDArray[np.float32] = np.stack([wander(rng, len(pictures)), wander(rng, len(pictures))])
    return [bend(rgb, one * w + other * v) for rgb, w, v in zip(pictures, *weights, strict=True)]
