# SPDX-License-Identifier: Apache-2.0
"""Landmarks of the same face measured in two ways in; how far apart they are out; pure."""

import math
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.faces.boxes import MESH_POINTS, box_of
from monitor.values import Landmarks

__all__ = ["Apart", "apart", "mean"]


@dataclass(frozen=True, slots=True)
class Apart:
    """Mean distance of points in percent of the face's width, angle between poses, mean difference of blendshapes."""

    points_percent: float
    pose_deg: float
    blendshapes: float


def apart(one: Landmarks, other: Landmarks) -> Apart:
    """Compare two measures of one face, both with a pose."""
    away = np.linalg.norm((one.points - other.points)[:MESH_POINTS, :2], axis=1)
    shapes = [abs(score - other.blendshapes[name]) for name, score in one.blendshapes.items()]
    assert one.pose is not None
    assert other.pose is not None
    return Apart(
        100 * float(away.mean()) / box_of(one.points).width, _angle_deg(one.pose, other.pose), float(np.mean(shapes))
    )


def mean(measures: list[Apart]) -> Apart:
    """Average at least one measure."""
    return Apart(*np.mean([astuple(each) for each in measures], axis=0).tolist())


def _angle_deg(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Angle of the turn from one pose to another, both of any scale."""
    first, second = (pose[:3, :3] / np.cbrt(np.linalg.det(pose[:3, :3])) for pose in (one, other))
    cosine = (float(np.trace(first.T @ second)) - 1) / 2
    return math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))
