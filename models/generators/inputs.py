# SPDX-License-Identifier: Apache-2.0
"""Pictures and landmarks in, what a generator's network takes out, and its answer back to pictures."""

from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.forgeries.clip import Pixels
from models.forgeries.masks import smooth_field
from models.forgeries.regions import CONTROL
from models.forgeries.warp import thin_plate
from models.generators.align import contours

__all__ = ["HANDLES", "mouth_input", "reenact_input", "to_pixels", "to_tensor", "unsettled"]

HANDLES: Final = list(CONTROL)
"""Landmarks by which one face's shape is carried onto another's."""


def to_tensor(pictures: Pixels) -> Tensor:
    """Turn pictures uint8 [N, S, S, 3] into float [N, 3, S, S] in -1..1, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def to_pixels(painted: Tensor) -> Pixels:
    """Turn float [N, 3, S, S] in -1..1 back into pictures uint8 [N, S, S, 3]; what goes beyond is cut off."""
    levels = ((painted.float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).numpy())


def reenact_input(
    source: Pixels, source_points: NDArray[np.float32], points: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Warp one moment's picture onto the landmarks of another; float32 [4, S, S]: the picture, the outlines."""
    side = source.shape[0]
    warped = thin_plate(source, source_points[HANDLES], points[HANDLES])
    return np.concatenate([_planes(warped), contours(points, side)[None]])


def mouth_input(
    picture: Pixels, points: NDArray[np.float32], region: NDArray[np.float32], shown: Pixels | None
) -> NDArray[np.float32]:
    """Blank the `region`; float32 [7, S, S]: what is left, the outlines, and another moment (or nothing) to look at."""
    side = picture.shape[0]
    left = _planes(picture) * (1.0 - region)
    other = np.zeros_like(left) if shown is None else _planes(shown)
    return np.concatenate([left, contours(points, side)[None], other])


def unsettled(
    points: NDArray[np.float32], rng: np.random.Generator, amount: float, side_px: int
) -> NDArray[np.float32]:
    """Move landmarks at random but smoothly; `amount` is the standard deviation in shares of the side."""
    field = cv2.resize(smooth_field(rng, amount * side_px), (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    columns, rows = np.clip(np.rint(points), 0, side_px - 1).astype(np.int64).T
    return np.asarray(points + field[rows, columns], np.float32)


def _planes(picture: Pixels) -> NDArray[np.float32]:
    return np.moveaxis(picture.astype(np.float32) / 127.5 - 1.0, 2, 0)
