# SPDX-License-Identifier: Apache-2.0
"""A decoded YUV picture in, RGB pixels of the whole or of one region, and its planes, out."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.values import Picture

__all__ = ["Planes", "Region", "planes", "rgb"]

Plane = NDArray[np.uint8]


class Region(NamedTuple):
    """A rectangle of whole pixels inside a picture, with even bounds."""

    left: int
    top: int
    width: int
    height: int


class Planes(NamedTuple):
    """Luma uint8 [h, w], blue and red difference uint8 [h / 2, w / 2]."""

    y: Plane
    u: Plane
    v: Plane


def planes(picture: Picture, region: Region | None = None) -> Planes:
    """Give the planes of a picture or of one region as views."""
    height, width = picture.height_px, picture.width_px
    u, v = picture.i420[height:].reshape(2, height // 2, width // 2)
    y = picture.i420[:height]
    if region is None:
        return Planes(y, u, v)
    left, top, width, height = region
    rows, columns = slice(top // 2, (top + height) // 2), slice(left // 2, (left + width) // 2)
    return Planes(y[top : top + height, left : left + width], u[rows, columns], v[rows, columns])


def rgb(picture: Picture, region: Region | None = None, longest_px: int | None = None) -> NDArray[np.uint8]:
    """Convert a picture or a region of it to RGB uint8 [height, width, 3].

    BT.601, limited range (ITU-R BT.601-7); every chroma sample covers its 2 x 2 luma samples. With `longest_px` the
    planes are first shrunk, averaging areas, until the longer side is no longer than that.
    """
    cut = planes(picture, region)
    height, width = cut.y.shape
    if longest_px is not None and longest_px < max(width, height):
        scale = longest_px / max(width, height)
        cut = _shrunk(cut, _even(width * scale), _even(height * scale))
    return np.asarray(cv2.cvtColor(_packed(cut), cv2.COLOR_YUV2RGB_I420), np.uint8)


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))


def _shrunk(cut: Planes, width: int, height: int) -> Planes:
    sizes = ((width, height), (width // 2, height // 2), (width // 2, height // 2))
    return Planes(
        *(
            np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
            for plane, size in zip(cut, sizes, strict=True)
        )
    )


def _packed(cut: Planes) -> Plane:
    return np.concatenate([plane.reshape(-1) for plane in cut]).reshape(-1, cut.y.shape[1])
