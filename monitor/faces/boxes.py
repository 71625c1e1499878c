# SPDX-License-Identifier: Apache-2.0
"""Landmarks in, face boxes and what they have in common out; pure."""

import math

import numpy as np
from numpy.typing import NDArray

from monitor.values import FaceBox

__all__ = ["MESH_POINTS", "box_of", "centre", "overlap", "scaled", "size"]

MESH_POINTS = 468
"""Points of the face mesh proper; MediaPipe appends ten iris points."""


def box_of(points: NDArray[np.float32]) -> FaceBox:
    """Bound the face mesh of landmarks float32 [478, 2 or more]."""
    x, y = points[:MESH_POINTS, 0], points[:MESH_POINTS, 1]
    left, top = float(x.min()), float(y.min())
    return FaceBox(left, top, float(x.max()) - left, float(y.max()) - top)


def centre(box: FaceBox) -> tuple[float, float]:
    """Give the middle of a box."""
    return box.left + box.width / 2, box.top + box.height / 2


def size(box: FaceBox) -> float:
    """Give the geometric mean of a box's sides."""
    return math.sqrt(max(box.width, 0.0) * max(box.height, 0.0))


def scaled(box: FaceBox, factor: float) -> FaceBox:
    """Give a box in a picture `factor` times as large."""
    return FaceBox(box.left * factor, box.top * factor, box.width * factor, box.height * factor)


def overlap(one: FaceBox, other: FaceBox) -> float:
    """Give the share 0..1 of the smaller box that lies in the other."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(width, 0.0) * max(height, 0.0) / smaller if smaller > 0.0 else 0.0
