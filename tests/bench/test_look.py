# SPDX-License-Identifier: Apache-2.0
"""How far apart two measures of a face are, and the line that tells what a look costs."""

import math

import numpy as np
import pytest

from monitor.bench.look import HEAD, Cost, _row
from monitor.bench.parity import Apart, apart, mean
from monitor.values import Landmarks
from tests.fakes.heads import BALL, rotation


def face(shift_px: float = 0.0, yaw: float = 0.0, blink: float = 0.0) -> Landmarks:
    """A head of about 200 px."""
    pose = np.eye(4, dtype=np.float32)
    pose[:3, :3] = 1.01 * rotation(yaw)
    points = (BALL * 100 + (shift_px, 0, 0)).astype(np.float32)
    return Landmarks(points, {"eyeBlinkLeft": blink, "jawOpen": 0.0}, pose)


def test_distances_have_the_units_they_name():
    """Points in percent of the width, the angle in degrees, blendshapes as their mean difference."""
    width = float(np.ptp(face().points[:468, 0]))
    found = apart(face(), face(3.0, yaw=0.1, blink=0.5))
    assert found.points_percent == pytest.approx(300 / width, rel=1e-4)
    assert found.pose_deg == pytest.approx(math.degrees(0.1), rel=1e-2)
    assert found.blendshapes == pytest.approx(0.25)


def test_the_same_face_is_no_distance_away():
    """Nothing is added by the comparison itself."""
    same = mean([apart(face(), face())] * 2)
    assert max(same.points_percent, same.pose_deg, same.blendshapes) < 0.1


def test_a_line_has_every_column():
    """Both costs, their ratio and both distances."""
    line = _row("film", Cost(20.0, 10.0, 7.5, Apart(0.5, 1.0, 0.02), Apart(0.25, 0.5, 0.01)))
    assert len(line) == len(HEAD)
    assert line[1:5] == ("20.0 ms", "10.0 ms", "7.5 ms", "2.00 ×")
