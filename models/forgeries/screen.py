# SPDX-License-Identifier: Apache-2.0
"""Screen: the clip as a camera sees it on a display: moire, gamma, banding, glare, rolling bars, the display's edge.

Moire is what is left when a display's stripe pixels and a camera's pixels beat: a slow wave, bent by perspective, its
phase a third of a period apart from red to green to blue (the aliases of three shifted gratings).
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Forged, Pixels
from models.forgeries.colour import ColourShift, draw_colour
from models.forgeries.motion import wander
from models.forgeries.style import Style

__all__ = ["Screen", "draw_screen", "screen"]

MOIRE_SHARE: Final = 0.75
BEZEL_SHARE: Final = 0.3
GLARE_SHARE: Final = 0.4
BARS_SHARE: Final = 0.35
BANDING_SHARE: Final = 0.3
BEZEL_REACH: Final = (0.1, 0.24)
"""Where the display ends, as a share of the picture's side: between the run-time crop's border and the face."""


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """One display and one camera: `wave` float32 [2, S, S, 3] cosine and sine of the moire's phase, its strength 0..1
    and its phase in every frame; `glare` float32 [S, S] grey levels; `bars` float32 [T, S] gains of the rows; how many
    `levels` the display shows (0: all); `edge` bool [S, S] where its frame is; `recapture_px` the camera's blur.
    """

    wave: NDArray[np.float32]
    moire: float
    phase: NDArray[np.float32]
    glare: NDArray[np.float32]
    bars: NDArray[np.float32]
    levels: int
    edge: NDArray[np.bool_]
    bezel: float
    colour: ColourShift
    recapture_px: float

    def show(self, rgb: Pixels, frame: int) -> Pixels:
        """Film one picture from the display."""
        shown = cv2.GaussianBlur(self.colour.apply(rgb), (0, 0), self.recapture_px).astype(np.float32)
        if self.levels:
            step = 255.0 / self.levels
            shown = np.rint(shown / step) * step
        angle = float(self.phase[frame])
        beat = np.float32(np.cos(angle)) * self.wave[0] - np.float32(np.sin(angle)) * self.wave[1]
        lit = shown * (1.0 + self.moire * beat) * self.bars[frame][:, None, None] + self.glare[:, :, None]
        lit[self.edge] = self.bezel
        return np.asarray(np.clip(np.rint(lit), 0, 255), np.uint8)


def screen(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Film the whole clip from a display."""
    display = draw_screen(clip.side_px, clip.frames, rng, style)
    shown = [display.show(rgb, at) for at, rgb in enumerate(clip.rgb)]
    return Forged(np.stack(shown), np.ones(clip.rgb.shape[:3], np.float32))


def draw_screen(side_px: int, frames: int, rng: np.random.Generator, style: Style) -> Screen:
    """Draw a display and how it is filmed, for all frames of a clip."""
    moire = float(rng.uniform(0.03, 0.16)) if rng.random() < MOIRE_SHARE else 0.0
    barred = rng.random() < BARS_SHARE
    return Screen(
        wave=_wave(side_px, rng),
        moire=moire,
        phase=np.cumsum(rng.normal(0.0, 0.6, frames)).astype(np.float32),
        glare=_glare(side_px, rng) if rng.random() < GLARE_SHARE else np.zeros((side_px, side_px), np.float32),
        bars=_bars(side_px, frames, rng) if barred else np.ones((frames, side_px), np.float32),
        levels=int(rng.integers(20, 64)) if rng.random() < BANDING_SHARE else 0,
        edge=_edge(side_px, rng) if rng.random() < BEZEL_SHARE else np.zeros((side_px, side_px), np.bool_),
        bezel=float(rng.uniform(4, 45)),
        colour=draw_colour(rng, 1.4 * style.colour),
        recapture_px=float(rng.uniform(0.4, 1.0)) * side_px / 168,
    )


def _plane(side_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Coordinates -0.5..0.5 of the pixels, x and y, float32 [S, S]."""
    line = np.linspace(-0.5, 0.5, side_px, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    return x, y


def _wave(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    x, y = _plane(side_px)
    periods, direction = float(np.exp(rng.uniform(np.log(6.0), np.log(60.0)))), float(rng.uniform(0.0, np.pi))
    curve = rng.normal(0.0, 0.25, 3) * periods
    along = np.cos(direction) * x + np.sin(direction) * y
    turns = periods * along + curve[0] * x * x + curve[1] * x * y + curve[2] * y * y
    spread = float(rng.uniform(0.1, 0.33))
    phase = 2 * np.pi * (turns[:, :, None] + spread * np.arange(3, dtype=np.float32))
    return np.stack([np.cos(phase), np.sin(phase)]).astype(np.float32)


def _glare(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A window or a lamp mirrored: one soft spot or streak."""
    x, y = _plane(side_px)
    at, angle = rng.uniform(-0.35, 0.35, 2), float(rng.uniform(0.0, np.pi))
    long, short = float(rng.uniform(0.08, 0.5)), float(rng.uniform(0.04, 0.15))
    u = np.cos(angle) * (x - at[0]) + np.sin(angle) * (y - at[1])
    v = np.cos(angle) * (y - at[1]) - np.sin(angle) * (x - at[0])
    spot = np.exp(-0.5 * ((u / long) ** 2 + (v / short) ** 2))
    return np.asarray(float(rng.uniform(15, 90)) * spot, np.float32)


def _bars(side_px: int, frames: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Rows lit unevenly where the display's refresh and the camera's rolling shutter beat; the bars wander."""
    rows = np.linspace(0.0, 1.0, side_px)[None]
    start = np.cumsum(rng.normal(float(rng.uniform(-0.3, 0.3)), 0.05, frames))[:, None]
    depth = float(rng.uniform(0.02, 0.12))
    flicker = 1.0 + 0.03 * wander(rng, frames, 0.2)[:, None]
    return np.asarray(flicker + depth * np.cos(2 * np.pi * (float(rng.uniform(0.5, 3.0)) * rows + start)), np.float32)


def _edge(side_px: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """One or two sides where the display ends, a little askew."""
    x, y = _plane(side_px)
    hidden = np.zeros((side_px, side_px), np.bool_)
    sides = ((x, y), (-x, y), (y, x), (-y, x))
    for index in rng.choice(4, size=int(rng.integers(1, 3)), replace=False):
        across, along = sides[int(index)]
        hidden |= across + float(rng.normal(0.0, 0.06)) * along > 0.5 - float(rng.uniform(*BEZEL_REACH))
    return hidden
