# SPDX-License-Identifier: Apache-2.0
"""Motion of a face: numbers that wander over time, and landmarks that turn, talk and blink where a still has none."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.forgeries.regions import OVAL, RIGID, face_px
from models.forgeries.warp import Matrix, about

__all__ = [
    "CHIN",
    "LOWER_LIDS",
    "LOWER_LIP",
    "UPPER_LIDS",
    "Expression",
    "draw_expression",
    "draw_shaking",
    "holds_still",
    "wander",
]

Points = NDArray[np.float32]

# fmt: off
LOWER_LIP: Final = (17, 84, 314, 14, 181, 405, 91, 321, 87, 317, 178, 402, 88, 318, 95, 324, 146, 375)
CHIN: Final = (152, 148, 377, 176, 400, 149, 378)
CORNERS: Final = (61, 291, 78, 308)
UPPER_LIDS: Final = (159, 158, 160, 161, 157, 386, 385, 387, 388, 384)
LOWER_LIDS: Final = (145, 153, 144, 163, 154, 374, 380, 373, 390, 381)
# fmt: on

STILL: Final = 0.004
"""Landmarks that move less than this share of the face hold still."""


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """How a face moves over time, each float32 [T]: `turn` of the head as a share of the face's width, `opening` of the
    mouth as a share of the face's height, `blink` 0 open to 1 shut.
    """

    turn: NDArray[np.float32]
    opening: NDArray[np.float32]
    blink: NDArray[np.float32]

    def apply(self, points: Points, frame: int) -> Points:
        """Move the landmarks [478, 2] of a still as in `frame`."""
        moved = points.copy()
        middle, size = points[list(OVAL)].mean(axis=0), face_px(points)
        down = points[152] - points[10]
        down = down / max(float(np.linalg.norm(down)), 1e-6)
        across = np.array([down[1], -down[0]], np.float32)
        distance = np.square(points - middle).sum(axis=1) / (0.5 * size) ** 2
        moved += across * (self.turn[frame] * size * np.clip(1.0 - distance, 0.0, 1.0))[:, None]
        step = down * self.opening[frame] * size
        moved[list(LOWER_LIP)] += step
        moved[list(CHIN)] += 0.6 * step
        moved[list(CORNERS)] += 0.3 * step
        lids, floor = list(UPPER_LIDS), list(LOWER_LIDS)
        moved[lids] += 0.9 * self.blink[frame] * (moved[floor] - moved[lids])
        return moved.astype(np.float32)


def wander(rng: np.random.Generator, frames: int, memory: float = 0.8) -> NDArray[np.float32]:
    """Draw an AR(1) series of unit variance, float32 [T]; `memory` 0..1 is the correlation from frame to frame."""
    steps = rng.normal(0.0, 1.0, frames)
    values = np.empty(frames, np.float32)
    values[0] = steps[0]
    for index in range(1, frames):
        values[index] = memory * values[index - 1] + np.sqrt(1.0 - memory**2) * steps[index]
    return values


def draw_expression(rng: np.random.Generator, frames: int, strength: float = 1.0) -> Expression:
    """Draw what a still is made to do: a small turn, a few words, now and then a blink."""
    opening = np.minimum(np.abs(0.03 * wander(rng, frames, 0.4)) + 0.01, 0.07)
    blink = np.zeros(frames, np.float32)
    if rng.random() < 0.5:
        blink[int(rng.integers(frames))] = rng.uniform(0.5, 1.0)
    turn = 0.02 * wander(rng, frames, 0.85)
    return Expression(
        (turn * strength).astype(np.float32), (opening * strength).astype(np.float32), np.clip(blink * strength, 0, 1)
    )


def draw_shaking(rng: np.random.Generator, points: Points, frames: int) -> list[Matrix]:
    """Draw how a hand that holds a camera or a picture moves it: T similarities [2, 3] about the face."""
    size, middle = face_px(points), points[list(OVAL)].mean(axis=0)
    reach = float(rng.uniform(0.002, 0.02))
    x, y, turn, grow = (wander(rng, frames, 0.9) for _ in range(4))
    return [
        about(
            middle,
            float(turn[at]) * reach * 40.0,
            float(np.exp(0.5 * reach * grow[at])),
            (float(x[at]) * reach * size, float(y[at]) * reach * size),
        )
        for at in range(frames)
    ]


def holds_still(points: Points) -> bool:
    """Whether landmarks [T, 478, 2] are those of a still that is shown for a while."""
    first = points[:, list(OVAL + RIGID)]
    return float(np.abs(first - first[:1]).max()) < STILL * face_px(points[0])
