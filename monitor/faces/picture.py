# SPDX-License-Identifier: Apache-2.0
"""A decoded YUV picture in, RGB pixels of the whole or of one region out."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.values import Picture

__all__ = ["Region", "luma", "rgb", "search_rgb"]


class Region(NamedTuple):
    """A rectangle of whole pixels inside a picture."""

    left: int
    top: int
    width: int
    height: int


def luma(picture: Picture) -> NDArray[np.uint8]:
    """Give the luma plane, uint8 [height, width], 16..235, as a view."""
    return picture.i420[: picture.height_px]


def rgb(picture: Picture, region: Region | None = None) -> NDArray[np.uint8]:
    """Convert a picture, or one region of it with even bounds, to RGB uint8 [height, width, 3].

    BT.601, limited range (ITU-R BT.601-7); every chroma sample covers its 2 x 2 luma samples.
    """
    i420 = picture.i420 if region is None else _cut(picture, region)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(i420), cv2.COLOR_YUV2RGB_I420), np.uint8)


def search_rgb(picture: Picture, longest_px: int) -> NDArray[np.uint8]:
    """Convert a picture to RGB uint8, shrunk over areas until its longer side is at most `longest_px`."""
    scale = longest_px / max(picture.width_px, picture.height_px)
    if scale >= 1.0:
        return rgb(picture)
    size = (_even(picture.width_px * scale), _even(picture.height_px * scale))
    return rgb(Picture(_shrink(picture, size)))


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))


def _planes(picture: Picture) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    height, width = picture.height_px, picture.width_px
    chroma = picture.i420[height:].reshape(2, height // 2, width // 2)
    return picture.i420[:height], chroma[0], chroma[1]


def _pack(planes: list[NDArray[np.uint8]], width: int) -> NDArray[np.uint8]:
    return np.concatenate([plane.reshape(-1) for plane in planes]).reshape(-1, width)


def _cut(picture: Picture, region: Region) -> NDArray[np.uint8]:
    left, top, width, height = region
    half = [slice(top // 2, (top + height) // 2), slice(left // 2, (left + width) // 2)]
    y, u, v = _planes(picture)
    return _pack([y[top : top + height, left : left + width], u[*half], v[*half]], width)


def _shrink(picture: Picture, size: tuple[int, int]) -> NDArray[np.uint8]:
    y, u, v = _planes(picture)
    half = (size[0] // 2, size[1] // 2)
    sizes = (size, half, half)
    planes = [
        np.asarray(cv2.resize(plane, to, interpolation=cv2.INTER_AREA), np.uint8)
        for plane, to in zip((y, u, v), sizes, strict=True)
    ]
    return _pack(planes, size[0])
