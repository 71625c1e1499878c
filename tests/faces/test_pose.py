# SPDX-License-Identifier: Apache-2.0
"""The head pose: a head put before the camera is found where it was put."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.faces.canonical import CanonicalFace
from monitor.faces.pose import pose_of
from tests.fakes.heads import rotation

PICTURE_PX = (640, 480)
HEAD = np.random.default_rng(4).uniform((-7, -9, -5), (7, 9, 5), (478, 3))


def canonical() -> CanonicalFace:
    """Every twelfth point of the head, unequally weighted."""
    indices = np.arange(0, 468, 12)
    weights = np.linspace(1, 2, len(indices))
    weights /= weights.sum()
    middle = weights @ HEAD[indices]
    points = HEAD[indices] - middle
    return CanonicalFace(indices, weights, middle, points, float(weights @ (points**2).sum(axis=1)))


def photographed(turn: np.ndarray, place_cm: tuple[float, float, float]) -> np.ndarray:
    """Landmarks of the head, turned and put before a pinhole camera, in pixels; depth as large as it looks."""
    x, y, z = (HEAD @ turn.T + place_cm).T
    focal_px = PICTURE_PX[1] / 2 / math.tan(math.radians(63) / 2)
    away = -z
    columns = (PICTURE_PX[0] / 2 + focal_px * x / away, PICTURE_PX[1] / 2 - focal_px * y / away)
    middle = away[:468].mean()
    return np.stack([*columns, (away - middle) * focal_px / middle], axis=1).astype(np.float32)


def turned_deg(one: np.ndarray, other: np.ndarray) -> float:
    """Angle between two rotations."""
    return math.degrees(math.acos(np.clip((np.trace(one.T @ other) - 1) / 2, -1, 1)))


@given(st.floats(-0.7, 0.7), st.floats(-0.5, 0.5), st.floats(-0.6, 0.6), st.floats(-12, 12), st.floats(40, 90))
def test_a_head_is_found_where_it_was_put(yaw, pitch, roll, right_cm, away_cm):
    """Turn and place of a head in view come out, up to what a mesh cannot know of perspective."""
    turn = rotation(yaw, pitch, roll)
    pose = pose_of(photographed(turn, (right_cm, 3.0, -away_cm)), PICTURE_PX, canonical())
    assert pose.dtype == np.float32
    np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=0.05)
    assert turned_deg(pose[:3, :3].astype(float), turn) < 3
    np.testing.assert_allclose(pose[:3, 3], (right_cm, 3.0, -away_cm), atol=0.04 * away_cm)
    assert pose[3].tolist() == [0, 0, 0, 1]


def test_scale_of_the_picture_does_not_matter():
    """Twice the pixels, the same head."""
    points = photographed(rotation(0.3), (2, 1, -50))
    small = pose_of(points, PICTURE_PX, canonical())
    large = pose_of(points * 2, (1280, 960), canonical())
    np.testing.assert_allclose(small, large, atol=1e-3)


@pytest.mark.parametrize("points", [np.zeros((478, 3), np.float32), np.ones((478, 3), np.float32)])
def test_a_mesh_without_extent_breaks_nothing(points):
    """All points in one place: some matrix, no error."""
    with np.errstate(all="ignore"):
        assert pose_of(points, PICTURE_PX, canonical()).shape == (4, 4)
