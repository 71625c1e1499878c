# SPDX-License-Identifier: Apache-2.0
"""A face crop and its boundary map in, PNG files out."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["overlay", "png", "read_png"]

SCALE: Final = 3
INK: Final = (0, 220, 255)
"""Cyan: red would pass for a blush. As opaque as the map is sure, so that pictures can be compared."""

Pixels = NDArray[np.uint8]


def png(rgb: Pixels) -> bytes:
    """Write a picture uint8 [height, width, 3]."""
    _, content = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return content.tobytes()


def read_png(content: bytes) -> Pixels:
    """Read such a picture; raises ValueError for anything else."""
    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError("not a picture")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def overlay(rgb: Pixels, boundary: Sequence[Sequence[int]]) -> bytes:
    """The crop, three times as large, beside itself with the map laid over it: a PNG file."""
    size = (rgb.shape[1] * SCALE, rgb.shape[0] * SCALE)
    large = cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC)
    sure = cv2.resize(np.asarray(boundary, np.float32) / 255.0, size, interpolation=cv2.INTER_LINEAR)[:, :, None]
    mixed = large * (1.0 - sure) + np.asarray(INK, np.float32) * sure
    return png(np.hstack([large, mixed.round().astype(np.uint8)]))
