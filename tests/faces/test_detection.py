# SPDX-License-Identifier: Apache-2.0
"""Candidates become faces: blended, the likeliest first, never more than asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monitor.faces.detection import CANDIDATES, DETECTOR_PX, detections

CELL_PX = DETECTOR_PX / 16
FIRST, NEIGHBOUR, FAR = 0, 1, 2 * (16 * 15 + 15)
"""Both candidates of the grid's first cell, one of its last."""


def said(**faces: tuple[int, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """What the network says: for each face its candidate, the side of its bounds and its logit; else nothing."""
    numbers, logits = np.zeros((CANDIDATES, 16), np.float32), np.full(CANDIDATES, -20.0, np.float32)
    for candidate, side_px, logit in faces.values():
        numbers[candidate, 2:4] = side_px
        numbers[candidate, 4:8] = (-side_px / 4, 0.0, side_px / 4, 0.0)
        logits[candidate] = logit
    return numbers, logits


def test_there_are_as_many_candidates_as_the_network_has():
    """16 x 16 x 2 and 8 x 8 x 6."""
    assert CANDIDATES == 896


def test_a_face_lies_round_the_middle_of_its_cell():
    """Bounds and eyes are counted from there, in pixels of the detector's input."""
    (face,) = detections(*said(one=(FIRST, 40.0, 3.0)), 4)
    middle = CELL_PX / 2
    np.testing.assert_allclose(face.corners, [[middle - 20] * 2, [middle + 20] * 2])
    np.testing.assert_allclose(face.eyes, [[middle - 10, middle], [middle + 10, middle]])


def test_candidates_of_one_face_are_blended_by_their_probability():
    """Of an even one and one of probability 0.75 the mean leans to the latter."""
    (face,) = detections(*said(one=(FIRST, 40.0, 0.0), two=(NEIGHBOUR, 50.0, float(np.log(3)))), 4)
    sides = face.corners[1] - face.corners[0]
    np.testing.assert_allclose(sides, (0.5 * 40 + 0.75 * 50) / 1.25, rtol=1e-6)


def test_faces_apart_come_one_by_one_the_likeliest_first():
    """No more than asked for."""
    spoken = said(one=(FIRST, 20.0, 1.0), two=(FAR, 20.0, 2.0))
    assert [face.corners[0][0] > 64 for face in detections(*spoken, 4)] == [True, False]
    assert len(detections(*spoken, 1)) == 1


@pytest.mark.parametrize(("logit", "found"), [(-0.01, 0), (0.01, 1)])
def test_a_face_is_likelier_than_not(logit, found):
    """Below one half there is none."""
    assert len(detections(*said(one=(FIRST, 40.0, logit)), 4)) == found


@given(
    arrays(np.float32, (24, 16), elements=st.floats(-300, 300, width=32)),
    arrays(np.float32, 24, elements=st.floats(-200, 200, width=32)),
    st.integers(1, 5),
)
def test_whatever_the_network_says_comes_to_an_end(numbers, logits, most):
    """Bounds turned inside out and of no area, too."""
    full = np.tile(numbers, (38, 1))[:CANDIDATES], np.tile(logits, 38)[:CANDIDATES]
    found = detections(*full, most)
    assert len(found) <= most
    assert bool(found) == bool((logits >= 0).any())
