# SPDX-License-Identifier: Apache-2.0
"""The square the mesh looks at: there and back again, upright, anywhere."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.faces.boxes import box_of
from monitor.faces.roi import MESH_PX, Roi, cut, roi_of, strayed
from monitor.values import FaceBox, Picture
from tests.faces.footage import image, rgb_at

PLACES = st.builds(
    Roi,
    st.floats(-2000, 2000),
    st.floats(-2000, 2000),
    st.floats(1, 3000),
    st.floats(-math.pi, math.pi),
)


def head(tilt_rad: float = 0.0) -> np.ndarray:
    """Landmarks on an upright oval of 100 x 140 px, the corners of the eyes level, then tilted about (300, 200)."""
    around = np.linspace(0, math.tau, 478, endpoint=False)
    points = np.stack([50 * np.cos(around), 70 * np.sin(around)], axis=1)
    points[33], points[263] = (-30, -20), (30, -20)
    turn = np.array([[math.cos(tilt_rad), -math.sin(tilt_rad)], [math.sin(tilt_rad), math.cos(tilt_rad)]])
    return (points @ turn.T + (300, 200)).astype(np.float32)


@given(PLACES)
def test_points_come_back_to_where_they_were(roi):
    """What the network says of a pixel is told of the source pixel that was shown there."""
    mesh = np.array([[0, 0, 0], [256, 0, 10], [17, 200, -5]], np.float32)
    back = roi.to_picture(mesh).astype(np.float64)
    again = back[:, :2] @ roi.to_mesh[:, :2].T + roi.to_mesh[:, 2]
    np.testing.assert_allclose(again, mesh[:, :2], atol=0.05 * max(1.0, MESH_PX / roi.side_px))
    np.testing.assert_allclose(back[:, 2], mesh[:, 2] * roi.side_px / MESH_PX, rtol=1e-5, atol=1e-5)


def test_the_square_turns_with_the_eyes_and_lies_below_them():
    """A tilt of the head is the roll of the square; its middle goes down along the face."""
    upright, tilted = roi_of(head()), roi_of(head(0.3))
    assert upright.roll_rad == pytest.approx(0.0, abs=1e-6)
    assert tilted.roll_rad == pytest.approx(0.3, abs=1e-5)
    assert upright.y_px > 200
    assert tilted.x_px < 300
    assert 140 < upright.side_px < 1.5 * 140


def test_the_square_moves_to_where_the_face_is_expected():
    """Size and roll are those of the look before, the middle is the expected one."""
    points = head()
    box = box_of(points)
    moved = roi_of(points, FaceBox(box.left + 40, box.top - 10, box.width, box.height))
    still = roi_of(points)
    assert (moved.x_px - still.x_px, moved.y_px - still.y_px) == pytest.approx((40, -10), abs=1e-3)
    assert moved.side_px == still.side_px


@pytest.mark.parametrize("roi", [Roi(130, 100, 200, 0.0), Roi(130, 100, 200, 0.0001), Roi(200, 150, 560, 0.0)])
def test_the_cut_shows_what_the_square_holds(roi):
    """The picture itself, scaled, up to what interpolation may change."""
    rgb = rgb_at("cap12", 50)[:300, :400]
    seen = cut(image(rgb), roi)
    assert seen.shape == (MESH_PX, MESH_PX, 3)
    smooth = cv2.GaussianBlur(rgb, (0, 0), 2)
    expected = cv2.warpAffine(smooth, roi.to_mesh, (MESH_PX, MESH_PX), borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(cv2.GaussianBlur(seen, (0, 0), 2).astype(int) - expected).mean() < 5


def test_a_tilted_square_shows_an_upright_face():
    """A picture turned about its middle, cut with the same turn, is the picture cut without."""
    rgb = rgb_at("cap12", 50)[:300, :400]
    turned = cv2.warpAffine(rgb, cv2.getRotationMatrix2D((200, 150), -20, 1.0), (400, 300))
    straight = cut(image(rgb), Roi(200, 150, 160, 0.0)).astype(int)
    upright = cut(image(turned), Roi(200, 150, 160, math.radians(20))).astype(int)
    assert np.abs(straight - upright).mean() < 4


@given(PLACES, st.integers(1, 60), st.integers(1, 60))
def test_a_square_anywhere_is_survived(roi, half_width, half_height):
    """Beyond the picture its edge is repeated; tiny pictures and squares of any size break nothing."""
    picture = Picture(np.full((half_height * 3, 2 * half_width), 128, np.uint8))
    seen = cut(picture, roi)
    assert seen.shape == (MESH_PX, MESH_PX, 3)
    assert np.ptp(seen) == 0


@pytest.mark.parametrize(
    ("found", "off"),
    [(Roi(105, 100, 95, 0.5), False), (Roi(120, 100, 100, 0.0), True), (Roi(100, 100, 130, 0.0), True)],
)
def test_a_face_off_its_square_has_strayed(found, off):
    """A shift or a change of size beyond a seventh of the side; a turn alone is none."""
    assert strayed(Roi(100, 100, 100, 0.0), found) is off
