# SPDX-License-Identifier: Apache-2.0
"""Landmarks in a picture in, the pose of the head before a camera out, as MediaPipe measures it; pure.

The landmarks are put before a pinhole camera, so far away that they are as large as the canonical face; the pose is the
weighted least-squares fit of the canonical face to them (Schoenemann, Psychometrika 1966, with a scale).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.faces.boxes import MESH_POINTS
from monitor.faces.canonical import CanonicalFace

__all__ = ["pose_of"]

FIELD_OF_VIEW_DEG: Final = 63.0
NEAR_CM: Final = 1.0
"""The camera that MediaPipe assumes: vertical field of view, distance of the plane on which pictures lie."""

MIRROR: Final = np.array([1.0, 1.0, -1.0])
"""Depth grows away from the camera in landmarks and towards it in poses."""


def pose_of(points: NDArray[np.float32], picture_px: tuple[int, int], face: CanonicalFace) -> NDArray[np.float32]:
    """Give the pose float32 [4, 4], lengths in cm, of landmarks float32 [468 or more, 3] in a picture's own pixels."""
    screen, depth = _on_plane(points, picture_px, face)
    _, first = _fit(face, screen * MIRROR)
    _, second = _fit(face, _in_space(screen, depth, first))
    seen = _in_space(screen, depth, first * second)
    turn, scale = _fit(face, seen)
    pose = np.eye(4, dtype=np.float32)
    pose[:3, :3] = scale * turn
    pose[:3, 3] = face.weights @ seen - scale * turn @ face.middle
    return pose


def _on_plane(
    points: NDArray[np.float32], picture_px: tuple[int, int], face: CanonicalFace
) -> tuple[NDArray[np.float64], float]:
    """Put landmarks on the picture plane, x to the right and y up in cm; also give their mean depth."""
    width_px, height_px = picture_px
    height_cm = 2 * NEAR_CM * math.tan(math.radians(FIELD_OF_VIEW_DEG) / 2)
    cm_per_px = height_cm / height_px
    chosen = points[face.indices].astype(np.float64)
    x, y = chosen[:, 0] - width_px / 2, height_px / 2 - chosen[:, 1]
    return np.stack([x, y, chosen[:, 2]], axis=1) * cm_per_px, float(points[:MESH_POINTS, 2].mean()) * cm_per_px


def _in_space(screen: NDArray[np.float64], mean_depth: float, scale: float) -> NDArray[np.float64]:
    """Move landmarks away from the camera until they have the size that `scale` asks for."""
    z = (screen[:, 2:] - mean_depth + NEAR_CM) / scale
    return np.concatenate([screen[:, :2] * (z / NEAR_CM), -z], axis=1)


def _fit(face: CanonicalFace, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Turn and scale the canonical face as points lie: a rotation float64 [3, 3] and a factor."""
    design = (points.T * face.weights) @ face.points
    left, stretch, right = np.linalg.svd(design)
    if np.linalg.det(design) < 0.0:
        left[:, 2], stretch[2] = -left[:, 2], -stretch[2]
    return left @ right, float(stretch.sum()) / face.spread
