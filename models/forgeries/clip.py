# SPDX-License-Identifier: Apache-2.0
"""What goes into a forgery and what comes out: a short clip of one face, and the same clip forged with its mask."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.style import Style

__all__ = ["Clip", "Forged", "Forger", "Pixels", "blend"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One face over time: `rgb` uint8 [T, S, S, 3], `points` float32 [T, 478, 2] MediaPipe mesh in those pixels."""

    rgb: Pixels
    points: NDArray[np.float32]

    @property
    def side_px(self) -> int:
        """Side of the pictures."""
        return int(self.rgb.shape[1])

    @property
    def frames(self) -> int:
        """Number of pictures."""
        return int(self.rgb.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Forged:
    """A forged clip: `rgb` uint8 [T, S, S, 3]; `mask` float32 [T, S, S], 0 untouched to 1 wholly replaced.

    Where the mask is 0 the picture is the real twin's, bit for bit; a frame whose mask is 0 everywhere is not forged.
    `original` is the real twin where that is not the clip itself: the clip with a hand before the face, say, over part
    of which the forgery draws skin.
    """

    rgb: Pixels
    mask: NDArray[np.float32]
    original: Clip | None = None

    def twin(self, clip: Clip) -> Pixels:
        """Give the real twin's pictures; `clip` is what was forged."""
        return (self.original or clip).rgb

    def points(self, clip: Clip) -> NDArray[np.float32]:
        """Give the real twin's landmarks; `clip` is what was forged."""
        return (self.original or clip).points


class Forger(Protocol):
    """A kind of forgery: draws its parameters from `rng` once per clip and replays them on every frame.

    `donor` is one face of another person (a clip whose first frame is used); only some kinds look at it. `style`
    scales what is drawn.
    """

    def __call__(self, clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
        """Forge the clip; the same arguments and generator state give the same forgery."""


def blend(below: Pixels, above: NDArray[np.float32] | Pixels, mask: NDArray[np.float32]) -> Pixels:
    """Put `above` over `below`, both [S, S, 3], weighted by `mask` [S, S] in 0..1; where it is 0 nothing changes."""
    result = below.copy()
    left, top, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    if width and height:
        box = np.s_[top : top + height, left : left + width]
        under = below[box].astype(np.float32)
        mixed = under + mask[box][:, :, None] * (above[box] - under)
        result[box] = np.clip(np.rint(mixed), 0, 255)
    return result
