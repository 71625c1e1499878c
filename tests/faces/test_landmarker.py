# SPDX-License-Identifier: Apache-2.0
"""MediaPipe behind one door: faces, odd pictures, failures, threads, memory."""

import gc
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from monitor.errors import AssetError
from monitor.faces.landmarker import PRIVATE_HANDLE, Landmarker, shared
from tests.faces.footage import canvas, rgb_at
from tests.fakes.media import sample


@pytest.fixture
def landmarker():
    """A landmarker of the test's own, closed afterwards."""
    own = Landmarker(sample("face_landmarker"), 4)
    yield own
    own.close()


def test_a_face_has_mesh_blendshapes_and_pose(landmarker):
    """478 points in pixels, scores 0..1 and a rigid pose."""
    (face,) = landmarker.find(rgb_at("cap12", 50))
    assert face.points.shape == (478, 3)
    assert face.points.dtype == np.float32
    assert (face.points[:, :2] > 0).all()
    assert (face.points[:, :2] < (400, 300)).all()
    assert {"eyeBlinkLeft", "eyeBlinkRight", "jawOpen"} <= face.blendshapes.keys()
    assert all(0 <= score <= 1 for score in face.blendshapes.values())
    turn = face.pose[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=0.01)


def test_several_faces_are_found(landmarker):
    """Two people side by side are two faces."""
    scene = canvas(640, 320)
    scene[:300, :320] = rgb_at("cap12", 50)[:300, 40:360]
    scene[:288, 320:] = rgb_at("franck", 50)[:288, 20:340]
    assert len(landmarker.find(scene)) == 2


def test_the_same_picture_gives_the_same_landmarks(landmarker):
    """Bit for bit, from any task in any order."""
    rgb = rgb_at("cap12", 50)
    first = landmarker.find(rgb)[0]
    landmarker.find(rgb_at("franck", 50))
    again = shared(sample("face_landmarker"), 4).find(rgb)[0]
    np.testing.assert_array_equal(first.points, again.points)
    assert first.blendshapes == again.blendshapes


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (16, 16), (1, 640), (640, 2), (33, 17)])
def test_pictures_of_any_size_are_survived(landmarker, size):
    """A tiny or odd picture shows no face and breaks nothing."""
    assert landmarker.find(np.zeros((*size, 3), np.uint8)) == ()
    assert landmarker.failed == 0


def test_a_view_of_a_larger_array_is_accepted(landmarker):
    """Pixels need not lie together in memory."""
    rgb = rgb_at("cap12", 50)
    wide = np.concatenate([rgb, rgb], axis=1)
    np.testing.assert_array_equal(landmarker.find(wide[:, :400])[0].points, landmarker.find(rgb)[0].points)


def test_a_missing_model_says_how_to_get_it(tmp_path):
    """No model, no start, and the way to it."""
    with pytest.raises(AssetError, match="lifesign setup"):
        Landmarker(tmp_path / "absent.task", 1)


def test_a_broken_model_says_how_to_get_it(tmp_path):
    """A file that is no model is refused, not crashed on."""
    broken = tmp_path / "broken.task"
    broken.write_bytes(b"no model")
    with pytest.raises(AssetError, match="lifesign setup"):
        Landmarker(broken, 1)


def test_the_private_handle_is_still_there():
    """The way round MediaPipe's deadlock needs this private name; without it the work-around does nothing."""
    own = Landmarker(sample("face_landmarker"), 1)
    (task,) = list(own._idle.queue)
    assert getattr(task, PRIVATE_HANDLE)
    own.abandon()
    assert getattr(task, PRIVATE_HANDLE) is None
    task.close()


class FailingTask:
    """A task whose graph has failed: it raises on use and, like MediaPipe's, on closing while it has its handle."""

    def __init__(self):
        self._handle = object()
        self.closed_twice = False

    def detect(self, image):
        """Fail as a graph does."""
        raise RuntimeError("graph has errors")

    def close(self):
        """Raise as MediaPipe's close does after a graph error."""
        if self._handle is not None:
            self.closed_twice = True
            raise RuntimeError("graph has errors")


def test_a_failed_graph_costs_one_look(landmarker):
    """The failed task is let go without its handle, the picture has no face, and the next look works again."""
    landmarker.close()
    failing = FailingTask()
    landmarker._idle.put(failing)
    assert landmarker.find(rgb_at("cap12", 50)) == ()
    assert landmarker.failed == 1
    failing.close()
    gc.collect()
    assert not failing.closed_twice
    assert len(landmarker.find(rgb_at("cap12", 50))) == 1


def test_threads_share_a_few_tasks(landmarker):
    """Four threads give the same answers as one, with no more tasks than threads."""
    rgbs = [rgb_at("cap12", 50), rgb_at("franck", 50)] * 4
    alone = [landmarker.find(rgb)[0].points for rgb in rgbs]
    with ThreadPoolExecutor(4) as threads:
        together = [faces[0].points for faces in threads.map(landmarker.find, rgbs)]
    np.testing.assert_array_equal(alone, together)
    assert landmarker.created <= 5


def test_participants_share_one_landmarker():
    """Asking again makes no further task."""
    model = sample("face_landmarker")
    assert shared(model, 4) is shared(Path(str(model)), 4)


def test_mediapipe_is_a_version_that_keeps_to_itself():
    """From 0.10.35 on MediaPipe sends usage data home."""
    assert version("mediapipe") == "0.10.33"
