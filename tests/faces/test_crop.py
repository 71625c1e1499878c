# SPDX-License-Identifier: Apache-2.0
"""Crops: upright, 1.3 x the face box, steady over time, free of aliases, the same with and without a border."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.faces.boxes import MESH_POINTS, box_of
from monitor.faces.crop import MARGIN, Placement, place, render, scaled, steady, to_crop
from monitor.faces.landmarker import shared
from monitor.faces.picture import rgb
from monitor.faces.search import Search
from monitor.values import Picture
from tests.faces.footage import image, pictures, still
from tests.fakes.media import sample

PLACEMENTS = st.builds(
    Placement, st.floats(-400, 900), st.floats(-400, 900), st.floats(1, 1500), st.floats(-math.pi, math.pi)
)
NOISE = image(np.random.default_rng(5).integers(0, 256, (360, 480, 3), dtype=np.uint8))


def oval(x: float, y: float, wide: float, high: float, roll: float = 0.0) -> np.ndarray:
    """Landmarks on an oval with the eye points on its upper half, turned by `roll`."""
    angle = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    points = np.stack([wide / 2 * np.cos(angle), high / 2 * np.sin(angle)], 1)
    points[[33, 133, 159, 145]] = (-wide / 4, -high / 8)
    points[[263, 362, 386, 374]] = (wide / 4, -high / 8)
    turn = np.array([[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]])
    return (points @ turn + (x, y)).astype(np.float32)


@pytest.mark.parametrize("roll", [0.0, 0.3, -1.0, 3.0])
def test_the_crop_is_square_upright_and_has_the_margin(roll):
    """The box is measured along the eye line: a tilted head gives the same crop, upright."""
    placement = place(oval(200, 150, 80, 110, roll))
    assert placement.side_px == pytest.approx(MARGIN * 110, rel=1e-3)
    assert (placement.x_px, placement.y_px) == pytest.approx((200, 150), abs=0.1)
    assert math.remainder(placement.roll_rad - roll, math.tau) == pytest.approx(0, abs=1e-5)
    matrix = to_crop(placement, 112)
    left, right = (matrix[:, :2] @ oval(200, 150, 80, 110, roll)[eye] + matrix[:, 2] for eye in (33, 263))
    assert left[1] == pytest.approx(right[1], abs=1e-3)
    assert left[0] < right[0]


@settings(max_examples=60, deadline=None)
@given(PLACEMENTS, st.sampled_from([0, 8, 28]), st.sampled_from([64, 112]))
def test_a_border_leaves_the_middle_bit_for_bit(placement, border, side):
    """The training export and the run time see the same pixels, wherever the face is."""
    matrix = to_crop(placement, side)
    wide = render(NOISE, matrix, side, border)
    assert wide.shape == (side + 2 * border, side + 2 * border, 3)
    np.testing.assert_array_equal(wide[border : border + side, border : border + side], render(NOISE, matrix, side))


def test_an_unscaled_upright_crop_is_the_picture_itself():
    """Where one crop pixel is one source pixel nothing is resampled."""
    crop = render(NOISE, to_crop(Placement(200, 150, 112, 0.0), 112), 112)
    np.testing.assert_array_equal(crop, rgb(NOISE)[94:206, 144:256])


@pytest.mark.parametrize("shrink", [2, 3, 3.5])
def test_shrinking_averages_instead_of_aliasing(shrink):
    """Stripes finer than a crop pixel become grey, not moire."""
    stripes = np.zeros((480, 480, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = render(image(stripes), to_crop(Placement(240, 240, 112 * shrink, 0.2), 112), 112)
    assert crop[10:-10, 10:-10].std() < 25
    assert crop.mean() == pytest.approx(127, abs=4)


def test_shrinking_agrees_with_area_averaging():
    """An upright whole-number shrink equals OpenCV's area resampling."""
    crop = render(NOISE, to_crop(Placement(240, 180, 336, 0.0), 112), 112)
    area = cv2.resize(rgb(NOISE)[12:348, 72:408], (112, 112), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(crop.astype(int), area.astype(int), atol=2)


def test_beyond_the_picture_its_edge_is_repeated():
    """A face at the edge gets no black bars, and one far outside no error."""
    grey = Picture(np.full((24, 16), 128, np.uint8))
    for placement in (Placement(0, 0, 40, 0.4), Placement(5000, -5000, 40, 0.4), Placement(8, 8, 4000, 0)):
        assert np.ptp(render(grey, to_crop(placement, 64), 64)) == 0


def test_rest_is_smoothed_and_movement_followed():
    """Jitter shrinks to less than half; a steady walk is followed within a tenth of the side."""
    rng = np.random.default_rng(1)
    known, still_x = None, []
    for index in range(100):
        known = steady(known, Placement(100 + rng.normal(0, 1), 100, 100, 0), index * 0.1)
        still_x.append(known.placement.x_px)
    assert np.std(still_x[20:]) < 0.5
    known = None
    for index in range(30):
        x = 100 + 50 * index * 0.1
        known = steady(known, Placement(x, 100, 100, 0), index * 0.1)
    assert abs(known.placement.x_px - x) < 10


@pytest.mark.parametrize(
    ("raw", "at_s"),
    [
        (Placement(160, 100, 100, 0), 0.1),
        (Placement(100, 100, 150, 0), 0.1),
        (Placement(100, 100, 100, 0.8), 0.1),
        (Placement(110, 100, 100, 0), 5.0),
        (Placement(110, 100, 100, 0), -1.0),
    ],
    ids=["moved", "grew", "turned", "gap", "time runs backwards"],
)
def test_a_jump_places_anew(raw, at_s):
    """The crop never trails behind over something that is not the face."""
    known = steady(None, Placement(100, 100, 100, 0), 0.0)
    assert steady(known, raw, at_s).placement == raw


def test_the_same_time_twice_changes_nothing():
    """A repeated frame does not divide by zero."""
    known = steady(None, Placement(100, 100, 100, 0), 1.0)
    assert steady(known, Placement(105, 100, 100, 0), 1.0) is known


def test_turning_over_the_half_turn_goes_the_short_way():
    """Roll is an angle: from 179 to -179 degrees is two degrees."""
    known = steady(None, Placement(0, 0, 100, math.radians(179)), 0.0)
    turned = steady(known, Placement(0, 0, 100, math.radians(-179)), 0.1).placement.roll_rad
    assert math.radians(179) < turned < math.radians(181)


def test_a_larger_picture_carries_the_placement_over():
    """Twice the picture gives the same crop of the same scene."""
    known = steady(None, Placement(100, 80, 60, 0.1), 0.0)
    assert scaled(known, 2).placement == Placement(200, 160, 120, 0.1)


def test_crops_of_a_real_face_jitter_less_than_its_landmarks():
    """On a webcam film the crop's placement shakes less than half as much as the raw landmarks."""
    search = Search(shared(sample("face_landmarker"), 1), 1, 24)
    raw, smooth, known, boxes = [], [], None, []
    for media_s, picture in pictures("cap12", 10, seconds=6):
        (face,) = search.find(picture, boxes, media_s)
        boxes = [box_of(face.points)]
        known = steady(known, place(face.points), media_s)
        for track, placement in ((raw, place(face.points)), (smooth, known.placement)):
            track.append((placement.x_px, placement.y_px, placement.side_px))
    shake = [np.abs(np.diff(np.array(track), n=2, axis=0)).mean() for track in (raw, smooth)]
    assert shake[1] < shake[0] / 2


def test_a_real_face_fills_the_crop_upright():
    """Eyes are level in the upper half, the whole mesh is inside."""
    picture = still("pexels_woman", 420)
    (face,) = shared(sample("face_landmarker"), 1).find(rgb(picture))
    matrix = to_crop(place(face.points), 112)
    mesh = face.points[:MESH_POINTS, :2] @ matrix[:, :2].T + matrix[:, 2]
    assert mesh.min() > 5
    assert mesh.max() < 107
    assert abs(mesh[33, 1] - mesh[263, 1]) < 4
    assert mesh[[33, 263], 1].max() < 60
