# SPDX-License-Identifier: Apache-2.0
"""Paper: a printed photo held before the camera: half-tone dots, low gamut, grain, a bent sheet, its edge; a hand holds
it, and it shows one moment only.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Forged, Pixels
from models.forgeries.motion import draw_shaking
from models.forgeries.style import Style
from models.forgeries.warp import warp

__all__ = ["Paper", "draw_paper", "paper"]

EDGE_SHARE: Final = 0.3
SCREENED_SHARE: Final = 0.6
EDGE_REACH: Final = (0.1, 0.22)
SCREEN_ANGLES_DEG: Final = (15.0, 75.0, 0.0)
"""Angles of the cyan, magenta and yellow half-tone screens in offset printing, here of red, green and blue."""


@dataclass(frozen=True, slots=True, eq=False)
class Paper:
    """One sheet: `dots` float32 [S, S, 3] -0.5..0.5 half-tone threshold, how much of it shows 0..1, `gamut` 0..1 of the
    chroma kept, `black` and `white` grey levels of ink and sheet, `tint` of the sheet, `relief` float32 [S, S] gain of
    light over the bent sheet with its grain, `map_x` and `map_y` float32 [S, S] of its bend, `margin` bool [S, S].
    """

    dots: NDArray[np.float32]
    screened: float
    gamut: float
    black: float
    white: float
    tint: NDArray[np.float32]
    relief: NDArray[np.float32]
    map_x: NDArray[np.float32]
    map_y: NDArray[np.float32]
    margin: NDArray[np.bool_]

    def print(self, rgb: Pixels) -> Pixels:
        """Print one picture and light the sheet."""
        grey = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        ink = cv2.addWeighted(rgb, self.gamut, grey, 1.0 - self.gamut, 0.0).astype(np.float32) / 255.0
        dotted = 1.0 / (1.0 + np.exp(-14.0 * (ink - 0.5 - self.dots)))
        ink = ink + self.screened * (dotted - ink)
        ink[self.margin] = 1.0
        sheet = (self.black + (self.white - self.black) * ink) * self.tint
        bent = cv2.remap(sheet, self.map_x, self.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(np.clip(np.rint(bent * self.relief[:, :, None]), 0, 255), np.uint8)


def paper(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Print the clip's first picture and hold the print before the camera."""
    printed = draw_paper(clip.side_px, rng, style).print(clip.rgb[0])
    held = draw_shaking(rng, clip.points[0], clip.frames)
    return Forged(np.stack([warp(printed, matrix) for matrix in held]), np.ones(clip.rgb.shape[:3], np.float32))


def draw_paper(side_px: int, rng: np.random.Generator, style: Style) -> Paper:
    """Draw a sheet, a printer and the light."""
    x, y = np.meshgrid(*(np.linspace(-0.5, 0.5, side_px, dtype=np.float32),) * 2)
    map_x, map_y, light = _bent(x, y, rng)
    grain = cv2.GaussianBlur(rng.normal(0.0, 1.0, (side_px, side_px)).astype(np.float32), (0, 0), 0.8)
    none = np.zeros((side_px, side_px), np.bool_)
    return Paper(
        dots=_dots(side_px, rng),
        screened=float(rng.uniform(0.05, 0.3)) if rng.random() < SCREENED_SHARE else 0.0,
        gamut=float(rng.uniform(0.45, 0.9)),
        black=float(rng.uniform(20, 60)),
        white=float(rng.uniform(185, 245)),
        tint=np.exp(rng.normal(0.0, 0.05 * style.colour, 3)).astype(np.float32),
        relief=np.asarray(light * (1.0 + float(rng.uniform(0.01, 0.04)) * grain), np.float32),
        map_x=map_x,
        map_y=map_y,
        margin=_margin(x, y, rng) if rng.random() < EDGE_SHARE else none,
    )


def _dots(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Clustered dots: a cosine product at each ink's angle, its period a few pixels."""
    period_px = float(rng.uniform(1.8, 3.4)) * side_px / 168
    row = np.arange(side_px, dtype=np.float32)
    planes = []
    for degrees in SCREEN_ANGLES_DEG:
        angle = np.deg2rad(degrees)
        u = (np.cos(angle) * row[None] + np.sin(angle) * row[:, None]) * 2 * np.pi / period_px
        v = (np.cos(angle) * row[:, None] - np.sin(angle) * row[None]) * 2 * np.pi / period_px
        planes.append(0.5 * np.cos(u) * np.cos(v))
    return np.stack(planes, axis=2).astype(np.float32)


def _bent(
    x: NDArray[np.float32], y: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Bend the sheet round an axis: where each pixel looks, and how the light falls on the slope."""
    side_px, angle = len(x), float(rng.uniform(0.0, np.pi))
    across = np.cos(angle) * x + np.sin(angle) * y
    bow = float(rng.normal(0.0, 0.12))
    shift = bow * across**2
    light = 1.0 + float(rng.uniform(0.0, 1.5)) * bow * across
    map_x = (x + np.cos(angle) * shift + 0.5) * (side_px - 1)
    map_y = (y + np.sin(angle) * shift + 0.5) * (side_px - 1)
    return map_x.astype(np.float32), map_y.astype(np.float32), light.astype(np.float32)


def _margin(x: NDArray[np.float32], y: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.bool_]:
    """The white margin of the print on one or two sides."""
    hidden = np.zeros(x.shape, np.bool_)
    for index in rng.choice(4, size=int(rng.integers(1, 3)), replace=False):
        hidden |= (x, -x, y, -y)[int(index)] > 0.5 - float(rng.uniform(*EDGE_REACH))
    return hidden
