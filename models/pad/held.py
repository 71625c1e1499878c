# SPDX-License-Identifier: Apache-2.0
"""A picture in, the same on a display or a sheet that somebody holds before the camera out: its edge, the room, a hand.

All pictures are uint8 [S, S, 3]; lengths are shares of their side, whose middle is the face.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Pixels

__all__ = ["Held", "behind", "draw_held", "tight"]

OUT_OF_VIEW: Final = 0.9
FACE_REACH: Final = 0.3
"""How far from the middle the face reaches; a display that shows a face reaches further."""

UPRIGHT_SHARE, ONE_EDGE_SHARE = 0.4, 0.25
HAND_SHARE: Final = 0.25
FINE: Final = 16
"""Corners are drawn to this fraction of a pixel."""

CORNERS: Final = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """One flat thing before the camera: `corners` float32 [4, 2] of what it shows, `rim` the width of its frame or
    margin, `rim_rgb` its colour float32 [3], `room` what is behind it; `hand` centre, half axes and angle of fingers
    on its edge, or None; `tilt` float64 [3, 3] carries the flat picture to what the camera sees.
    """

    corners: NDArray[np.float32]
    rim: float
    rim_rgb: NDArray[np.float32]
    room: Pixels
    tilt: NDArray[np.float64]
    hand: tuple[float, float, float, float, float] | None
    hand_rgb: NDArray[np.float32]

    def show(self, shown: Pixels, room: Pixels | None = None) -> Pixels:
        """Put a picture on it, before the drawn room or another."""
        side = shown.shape[0]
        tilted = cv2.warpPerspective(
            shown, self.tilt, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        seen = (self.room if room is None else room).astype(np.float32)
        seen += self._covered(side, self.rim) * (self.rim_rgb - seen)
        seen += self._covered(side, 0.0) * (tilted.astype(np.float32) - seen)
        return np.asarray(np.clip(np.rint(self._handled(seen)), 0, 255), np.uint8)

    def _covered(self, side: int, rim: float) -> NDArray[np.float32]:
        middle = self.corners.mean(axis=0)
        grown = self.corners + rim * np.sign(self.corners - middle)
        flat = (grown[None] * side).astype(np.float32)
        corners = np.rint(cv2.perspectiveTransform(flat, self.tilt)[0] * FINE).astype(np.int32)
        inside = np.zeros((side, side), np.uint8)
        cv2.fillConvexPoly(inside, corners, 255, cv2.LINE_AA, shift=4)
        return (inside.astype(np.float32) / 255.0)[:, :, None]

    def _handled(self, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.hand is None:
            return seen
        side = seen.shape[0]
        x, y, long, short, degrees = self.hand
        over = np.zeros((side, side), np.float32)
        axes = (round(long * side), round(short * side))
        cv2.ellipse(over, (round(x * side), round(y * side)), axes, degrees, 0, 360, 1.0, -1, cv2.LINE_AA)
        soft = cv2.GaussianBlur(over, (0, 0), 0.008 * side)[:, :, None]
        return seen + soft * (self.hand_rgb - seen)


def draw_held(
    rng: np.random.Generator, other: Pixels, *, paper: bool, middle: tuple[float, float] = (0.5, 0.5)
) -> Held:
    """Draw a thing to hold, the room behind it made of a corner of `other`, and how it is tilted."""
    left, right, top, bottom = _reaches(rng)
    around = np.array(middle, np.float32)
    reach = np.array([(-left, -top), (right, -top), (right, bottom), (-left, bottom)], np.float32)
    skin = other[other.shape[0] // 2 - 8 :, other.shape[1] // 2 - 8 :][:16, :16].reshape(-1, 3).mean(axis=0)
    at_side = float(rng.choice([-left, right]))
    height, long, short = float(rng.uniform(-0.3, 0.5)), float(rng.uniform(0.06, 0.16)), float(rng.uniform(0.03, 0.06))
    hand = (middle[0] + at_side, middle[1] + height, long, short, float(rng.normal(0.0, 25.0)))
    return Held(
        corners=around + reach,
        rim=float(rng.uniform(0.0, 0.05) if paper else rng.uniform(0.012, 0.1)),
        rim_rgb=_rim_colour(rng, paper=paper),
        room=_room(rng, other),
        tilt=_tilt(rng, other.shape[0]),
        hand=hand if rng.random() < HAND_SHARE else None,
        hand_rgb=(skin * float(rng.uniform(0.4, 1.0))).astype(np.float32),
    )


def behind(rgb: Pixels, person: NDArray[np.float32], other: Pixels, rng: np.random.Generator) -> Pixels:
    """Hang a picture, a television or a window behind a person, who fills `person` float32 [S, S] 0..1."""
    middle = (float(rng.choice([rng.uniform(-0.1, 0.3), rng.uniform(0.7, 1.1)])), float(rng.uniform(0.0, 0.6)))
    hung = draw_held(rng, other, paper=bool(rng.random() < 0.3), middle=middle)
    wall = Held(hung.corners, hung.rim, hung.rim_rgb, hung.room, hung.tilt, None, hung.hand_rgb).show(other, rgb)
    cut = cv2.GaussianBlur(person, (0, 0), 1.5)[:, :, None]
    return np.asarray(np.rint(wall + cut * (rgb.astype(np.float32) - wall)), np.uint8)


def tight(rgb: Pixels, reach: NDArray[np.float64]) -> Pixels:
    """Repeat the edges of a picture of which only `reach` (left, right, top, bottom from the middle) was seen."""
    side = rgb.shape[0]
    low = np.clip(np.rint((0.5 - reach[[0, 2]]) * side), 0, side // 2 - 1).astype(int)
    high = np.clip(np.rint((0.5 + reach[[1, 3]]) * side), side // 2 + 1, side).astype(int)
    seen = rgb[low[1] : high[1], low[0] : high[0]]
    padded = cv2.copyMakeBorder(seen, low[1], side - high[1], low[0], side - high[0], cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def _reaches(rng: np.random.Generator) -> list[float]:
    """How far it reaches to the left, right, top and bottom of its middle."""
    kind = rng.random()
    if kind < UPRIGHT_SHARE:
        return [float(value) for value in (*rng.uniform(FACE_REACH, 0.55, 2), *rng.uniform(0.38, OUT_OF_VIEW, 2))]
    reach = [OUT_OF_VIEW] * 4
    if kind < UPRIGHT_SHARE + ONE_EDGE_SHARE:
        for edge in rng.choice(4, size=int(rng.integers(1, 3)), replace=False):
            reach[int(edge)] = float(rng.uniform(FACE_REACH + 0.04, 0.5))
    return reach


def _rim_colour(rng: np.random.Generator, *, paper: bool) -> NDArray[np.float32]:
    light = rng.random() < (0.9 if paper else 0.2)
    level = rng.uniform(170, 245) if light else rng.uniform(3, 50)
    return np.asarray(np.clip(level + rng.normal(0.0, 6.0, 3), 0, 255), np.float32)


def _room(rng: np.random.Generator, other: Pixels) -> Pixels:
    """What is behind: a corner of another picture, out of focus, often darker than a display."""
    side = other.shape[0]
    cut = int(rng.uniform(0.15, 0.35) * side)
    left, top = (int(rng.choice([0, side - cut])) for _ in range(2))
    grown = cv2.resize(other[top : top + cut, left : left + cut], (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(grown * float(np.exp(rng.uniform(-2.0, 0.15))), 0, 255), np.uint8)


def _tilt(rng: np.random.Generator, side: int) -> NDArray[np.float64]:
    """A hand-held tilt as a homography of the picture; the face stays about where it was."""
    turn, slant = float(np.deg2rad(rng.normal(0.0, 4.0))), rng.normal(0.0, 0.03, (4, 2))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    flat = (CORNERS / 2 + 0.5) * side
    seen = (((CORNERS @ rotation) / 2 + slant) + 0.5) * side
    return np.asarray(cv2.getPerspectiveTransform(flat.astype(np.float32), seen.astype(np.float32)), np.float64)
