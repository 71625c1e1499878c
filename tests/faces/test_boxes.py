# SPDX-License-Identifier: Apache-2.0
"""Boxes: bounds of a mesh, scale and overlap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.faces.boxes import box_of, centre, overlap, scaled, size
from monitor.values import FaceBox

BOXES = st.builds(FaceBox, *[st.floats(-500, 500)] * 2, *[st.floats(1, 500)] * 2)


def test_the_box_bounds_the_mesh_and_not_the_irises():
    """Iris points beyond the mesh do not widen the box."""
    points = np.zeros((478, 3), np.float32)
    points[:468, 0] = np.linspace(10, 50, 468)
    points[:468, 1] = np.linspace(20, 80, 468)
    points[468:] = 1000
    assert box_of(points) == pytest.approx((10, 20, 40, 60))


@given(BOXES)
def test_a_box_lies_wholly_in_itself(box):
    """A box overlaps itself fully, also in a picture of another size."""
    assert overlap(box, box) == pytest.approx(1)
    assert size(scaled(box, 2)) == pytest.approx(2 * size(box))
    assert centre(scaled(box, 2)) == pytest.approx(tuple(2 * each for each in centre(box)))


@given(BOXES, BOXES)
def test_overlap_has_no_order(one, other):
    """Overlap is a share and does not depend on which box comes first."""
    assert 0 <= overlap(one, other) <= 1 + 1e-9
    assert overlap(one, other) == pytest.approx(overlap(other, one))


def test_boxes_apart_and_empty_boxes_share_nothing():
    """Neither distance nor an empty box is an error."""
    box = FaceBox(0, 0, 10, 10)
    assert overlap(box, FaceBox(20, 0, 10, 10)) == 0
    assert overlap(box, FaceBox(5, 5, 0, 0)) == 0
