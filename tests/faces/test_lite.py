# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's networks on LiteRT against MediaPipe's graph: the same faces, landmarks, poses and blendshapes."""

import cv2
import numpy as np
import pytest

from monitor.bench.parity import apart
from monitor.config import FacesSettings
from monitor.faces.landmarker import shared
from monitor.faces.lite import LiteLandmarker, shared_lite
from tests.faces.footage import canvas, finder, frame, pictures, rgb_at
from tests.fakes.media import sample

MOST = 4
EACH = (480, 360)


def tilted(degrees: float) -> np.ndarray:
    """A picture of a man, turned about its middle."""
    return cv2.warpAffine(rgb_at("cap12", 50), cv2.getRotationMatrix2D((200, 150), degrees, 1), (400, 300))


def crowd() -> np.ndarray:
    """Four people in one picture."""
    people = [cv2.resize(rgb_at(name, 40), EACH) for name in ("cap12", "pexels_woman", "cap13", "franck")]
    return np.vstack([np.hstack(people[:2]), np.hstack(people[2:])])


@pytest.mark.parametrize(
    ("rgb", "faces"),
    [
        pytest.param(lambda: rgb_at("pexels_woman", 40), 1, id="wide"),
        pytest.param(lambda: rgb_at("carphone", 40), 1, id="small"),
        pytest.param(lambda: tilted(35), 1, id="tilted"),
        pytest.param(lambda: tilted(-60), 1, id="far tilted"),
        pytest.param(crowd, 4, id="crowd"),
        pytest.param(lambda: canvas(400, 300), 0, id="nobody"),
    ],
)
def test_pictures_are_seen_alike(rgb, faces):
    """The same faces; points within 0.5 % of the face's width, poses within 1 degree, blendshapes within 0.01.

    MediaPipe differs from itself by more when the region that it is shown moves by a few pixels.
    """
    model, seen = sample("face_landmarker"), np.ascontiguousarray(rgb())
    usual, found = shared(model, MOST).find(seen), shared_lite(model, MOST).find(seen)
    assert len(usual) == len(found) == faces
    for one in usual:
        other = min(found, key=lambda each: float(np.abs(each.points - one.points).mean()))
        away = apart(one, other)
        assert away.points_percent < 0.5
        assert away.pose_deg < 1.0
        assert away.blendshapes < 0.01
        assert one.blendshapes.keys() == other.blendshapes.keys()
        assert other.points.dtype == other.pose.dtype == np.float32


@pytest.mark.parametrize("name", ["pexels_woman", "cap12"])
def test_films_are_followed_alike(name):
    """Look by look, each following the film by itself: the same places, and crops that differ by rounding.

    Now and then the regions that they look at round to other pixels, and both differ as one does from itself.
    """
    ways = [finder(FacesSettings(runtime=way)) for way in ("mediapipe", "litert")]
    points, colours = [], []
    for media_s, picture in pictures(name, 5, 6):
        one, other = (way.look(frame(picture, media_s)).crops[0] for way in ways)
        points.append(apart(one.landmarks, other.landmarks).points_percent)
        colours.append(np.abs(one.rgb.astype(int) - other.rgb).mean())
    assert max(points) < 2.0
    assert np.median(points) < 0.1
    assert np.median(colours) < 0.5


class Absent:
    """Networks that see one likely face, of which the mesh is not convinced."""

    def detect(self, _rgb):
        """One candidate in the middle."""
        numbers, logits = np.zeros((896, 16), np.float32), np.full(896, -9, np.float32)
        numbers[272, 2:4], logits[272] = 40, 5
        return numbers, logits

    def measure(self, _rgb):
        """Points of nobody."""
        return np.zeros((478, 3), np.float32), -0.1


def test_what_the_mesh_does_not_believe_is_no_face():
    """The detector alone does not decide."""
    assert LiteLandmarker(Absent(), 1).find(canvas(400, 300)) == ()
