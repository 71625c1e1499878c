# SPDX-License-Identifier: Apache-2.0
"""A picture in, small fingerprints of a face in it and of the whole scene out; pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.faces.picture import Region, planes
from monitor.values import FaceBox, Picture

__all__ = ["Patch", "face_patch", "likeness", "scene_patch"]

Patch = NDArray[np.float32]
"""Luma and colour of a shrunk picture, float32 [n]: each part of zero mean, equal lengths, unit length together."""

FACE_PX = 16
SCENE_PX = 32
ENOUGH_PX = 96
FLAT = 1.0
"""Length under which a plane counts as flat, in grey levels of the shrunk plane; its share is then 0."""


def likeness(one: Patch, other: Patch) -> float:
    """Correlate two patches: 1 the same picture, 0 nothing in common. Brightness and contrast do not matter."""
    return float(np.dot(one, other))


def face_patch(picture: Picture, box: FaceBox) -> Patch:
    """Fingerprint what lies in a face box."""
    left, width = _bounds(box.left, box.width, picture.width_px)
    top, height = _bounds(box.top, box.height, picture.height_px)
    return _patch(picture, Region(left, top, width, height), FACE_PX)


def scene_patch(picture: Picture) -> Patch:
    """Fingerprint a whole picture."""
    return _patch(picture, None, SCENE_PX)


def _patch(picture: Picture, region: Region | None, side: int) -> Patch:
    y, u, v = (_thinned(plane) for plane in planes(picture, region))
    small = [_shrunk(y, side), _shrunk(u, side // 2), _shrunk(v, side // 2)]
    colour = np.concatenate([plane - plane.mean() for plane in small[1:]])
    parts = [_unit(small[0] - small[0].mean()), _unit(colour)]
    lit = sum(bool(part.any()) for part in parts)
    return np.asarray(np.concatenate(parts) / max(lit, 1) ** 0.5, np.float32)


def _bounds(start: float, length: float, limit: int) -> tuple[int, int]:
    low = min(max(int(start) // 2 * 2, 0), limit - 2)
    high = min(max(int(start + length) // 2 * 2, low + 2), limit)
    return low, high - low


def _thinned(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Skip samples of a large plane: a fingerprint needs no more than a few per value."""
    step = max(1, min(plane.shape) // ENOUGH_PX)
    return plane[::step, ::step]


def _shrunk(plane: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA), np.float32).reshape(-1)


def _unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(values))
    return values / length if length > FLAT else np.zeros_like(values)
