# SPDX-License-Identifier: Apache-2.0
"""A picture of a face in, the same filmed from a display or from a print out; and what cameras do to either.

Displays add moire, stripes of sub-pixels, banding, glare and a light of their own (brighter than the room, tinted,
black that is not black); prints add dots, grain, a smaller gamut and a bent sheet (Wen, Han, Jain, IEEE TIFS 2015).
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Pixels
from models.forgeries.paper import draw_paper
from models.forgeries.screen import draw_screen
from models.forgeries.style import PLAIN
from models.pad.held import draw_held

__all__ = ["Light", "draw_light", "filmed", "printed"]

STRIPES_SHARE: Final = 0.3
REFLECTION_SHARE: Final = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """How levels come out: v -> black + (gain * 255 - black) * (v / 255) ** gamma, a `tint` [3] on top; clipped."""

    gamma: float
    gain: float
    black: float
    tint: NDArray[np.float32]

    def apply(self, rgb: Pixels) -> Pixels:
        """Light a picture uint8 [S, S, 3]."""
        levels = (np.arange(256, dtype=np.float32) / 255.0) ** self.gamma
        lit = (self.black + (self.gain * 255.0 - self.black) * levels)[:, None] * self.tint
        table = np.clip(np.rint(lit), 0, 255).astype(np.uint8)[None]
        return np.asarray(cv2.LUT(rgb, table), np.uint8)


def draw_light(rng: np.random.Generator, strength: float) -> Light:
    """Draw a light: `strength` 1 for a display before a camera that sees the room too, less for a room by itself."""
    return Light(
        gamma=float(np.exp(rng.normal(0.0, 0.25 * strength))),
        gain=float(np.exp(rng.normal(0.12, 0.28) * strength)),
        black=max(0.0, float(rng.normal(0.0, 18.0)) * strength),
        tint=np.exp(rng.normal(0.0, 0.1 * strength, 3)).astype(np.float32),
    )


def filmed(rgb: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """Film a picture from a display; `other` lends the room and what the glass mirrors."""
    side = rgb.shape[0]
    display = draw_screen(side, 1, rng, PLAIN)
    display = replace(display, edge=np.zeros((side, side), np.bool_))
    shown = display.show(draw_light(rng, 1.0).apply(rgb), 0)
    if rng.random() < STRIPES_SHARE:
        shown = _striped(shown, rng)
    seen = draw_held(rng, other, paper=False).show(shown)
    return _mirroring(seen, other, rng) if rng.random() < REFLECTION_SHARE else seen


def printed(rgb: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """Film a picture from a print; `other` lends the room."""
    side = rgb.shape[0]
    sheet = replace(draw_paper(side, rng, PLAIN), margin=np.zeros((side, side), np.bool_))
    return draw_held(rng, other, paper=True).show(draw_light(rng, 0.5).apply(sheet.print(rgb)))


def _striped(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Columns or rows of red, green and blue sub-pixels, two to five picture elements wide."""
    side = rgb.shape[0]
    place = np.arange(side, dtype=np.float32) / float(rng.uniform(2.0, 5.0))
    phase = 2 * np.pi * (place[:, None] + np.arange(3, dtype=np.float32) / 3)
    lit = 1.0 + float(rng.uniform(0.04, 0.2)) * np.cos(phase)
    gains = lit[None] if rng.random() < 0.7 else lit[:, None]
    return np.asarray(np.clip(np.rint(rgb * gains), 0, 255), np.uint8)


def _mirroring(rgb: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """Add the room that the glass mirrors."""
    soft = cv2.GaussianBlur(other[:, ::-1], (0, 0), float(rng.uniform(2.0, 10.0)))
    return np.asarray(cv2.addWeighted(rgb, 1.0, soft, float(rng.uniform(0.04, 0.2)), 0.0), np.uint8)
