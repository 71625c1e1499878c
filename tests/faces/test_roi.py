# SPDX-License-Identifier: Apache-2.0
"""The rectangle the mesh looks at: there and back again, upright, anywhere."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.faces.detection import Detection
from monitor.faces.roi import MESH_PX, Roi, cut, roi_of
from tests.faces.footage import rgb_at

PLACES = st.builds(
    Roi,
    st.floats(-2000, 2000),
    st.floats(-2000, 2000),
    st.floats(1, 3000),
    st.floats(1, 3000),
    st.floats(-math.pi, math.pi),
)


def face(tilt_rad: float = 0.0) -> Detection:
    """Bounds of 100 x 120 px round (300, 200), the eyes above its middle and tilted about it."""
    turn = np.array([[math.cos(tilt_rad), -math.sin(tilt_rad)], [math.sin(tilt_rad), math.cos(tilt_rad)]])
    eyes = np.array([[-25, -20], [25, -20]]) @ turn.T
    return Detection(np.array([[250.0, 140], [350, 260]]), eyes + np.array([300, 200]))


@given(PLACES)
def test_points_come_back_to_where_they_were(roi):
    """What the network says of a pixel is told of the pixel that was shown there; depths keep their proportion."""
    mesh = np.array([[0, 0, 0], [256, 0, 10], [17, 200, -5]], np.float32)
    back = roi.placed(mesh).astype(np.float64)
    turn, start = roi.to_picture[:, :2], roi.to_picture[:, 2]
    again = np.linalg.solve(turn, (back[:, :2] - start).T).T
    np.testing.assert_allclose(again, mesh[:, :2], atol=1e-3 * MESH_PX * (1 + 2000 / min(roi.width_px, roi.height_px)))
    np.testing.assert_allclose(back[:, 2], mesh[:, 2] * roi.width_px / MESH_PX, rtol=1e-5)


def test_the_rectangle_is_half_as_large_again_and_level_with_the_eyes():
    """Its middle is that of the bounds."""
    roi = roi_of(face(0.3))
    assert (roi.x_px, roi.y_px) == (300, 200)
    assert (roi.width_px, roi.height_px) == (150, 180)
    assert roi.roll_rad == pytest.approx(0.3)


def test_the_cut_shows_what_the_rectangle_holds():
    """The picture itself, scaled, up to what interpolation may change."""
    rgb = rgb_at("cap12", 50)
    shown = cut(rgb, Roi(200, 150, 128, 128, 0.0))
    wanted = cv2.resize(rgb[86:214, 136:264], (MESH_PX, MESH_PX), interpolation=cv2.INTER_LINEAR)
    assert np.abs(shown.astype(int) - wanted).mean() < 3.0


def test_a_tilted_rectangle_shows_an_upright_face():
    """A picture turned about its middle, cut with the same turn, is the picture cut without."""
    rgb = rgb_at("cap12", 50)
    turned = cv2.warpAffine(rgb, cv2.getRotationMatrix2D((200, 150), -20, 1), (400, 300))
    straight, tilted = (
        cut(each, Roi(200, 150, 150, 150, roll)) for each, roll in ((rgb, 0.0), (turned, math.radians(20)))
    )
    assert np.abs(straight.astype(int) - tilted).mean() < 3.0


@given(PLACES, st.integers(2, 40), st.integers(2, 40))
def test_a_rectangle_anywhere_is_survived(roi, width, height):
    """Beyond the picture its edge is repeated; tiny pictures and rectangles of any size break nothing."""
    rgb = np.full((height, width, 3), 77, np.uint8)
    assert (cut(rgb, roi) == 77).all()
