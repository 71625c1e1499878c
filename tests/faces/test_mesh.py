# SPDX-License-Identifier: Apache-2.0
"""The mesh alone against MediaPipe's whole graph: the same landmarks, poses and blendshapes, from any thread."""

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import files, version
from pathlib import Path

import numpy as np
import pytest

from monitor.bench.parity import Apart, apart, mean
from monitor.config import FacesSettings
from monitor.errors import AssetError, StartError
from monitor.faces import mesh
from monitor.faces.blendshapes import NAMES, POINTS
from monitor.faces.boxes import box_of
from monitor.faces.follower import Follower
from monitor.faces.landmarker import shared
from monitor.faces.mesh import MeshNetworks, shared_mesh
from monitor.faces.picture import Region
from monitor.faces.roi import MESH_PX
from tests.faces.footage import finder, frame, pictures, rgb_at, still
from tests.fakes.media import sample

WHOLE = Region(0, 0, 400, 300)


@pytest.fixture
def networks() -> MeshNetworks:
    """The process's networks."""
    return shared_mesh(sample("face_landmarker"))


def measured(name: str, seconds: float) -> list[Apart]:
    """How far the mesh alone is from MediaPipe, look by look, each following the film by itself."""
    ways = [finder(FacesSettings(landmarks=way)) for way in ("mediapipe", "mesh")]
    found = []
    for media_s, picture in pictures(name, 5, seconds):
        one, other = (way.look(frame(picture, media_s)).crops for way in ways)
        found.append(apart(one[0].landmarks, other[0].landmarks))
    return found


@pytest.mark.parametrize("name", ["pexels_woman", "cap12"])
def test_the_mesh_alone_agrees_with_mediapipe(name):
    """Points within 1 % of the face's width, poses within 1.5 degrees, blendshapes within 0.03, on average.

    MediaPipe differs from itself by half of that when the region that it is shown moves by a few pixels.
    """
    average = mean(measured(name, 6)[1:])
    assert 0 < average.points_percent < 1.0
    assert average.pose_deg < 1.5
    assert average.blendshapes < 0.03


def test_the_first_look_is_mediapipes():
    """A face that is not known yet is measured by the whole graph, to the bit."""
    one, other = (
        finder(FacesSettings(landmarks=way)).look(frame(still("cap12", 50), 0.0)).crops[0]
        for way in ("mediapipe", "mesh")
    )
    np.testing.assert_array_equal(one.landmarks.points, other.landmarks.points)
    np.testing.assert_array_equal(one.rgb, other.rgb)


def test_a_followed_face_is_complete(networks):
    """478 points, a rigid pose and every blendshape that MediaPipe names."""
    (last,) = shared(sample("face_landmarker"), 1).find(rgb_at("cap12", 50))
    face = Follower(networks).find(still("cap12", 53), last, box_of(last.points), WHOLE)
    assert face.points.shape == (478, 3)
    assert face.points.dtype == np.float32
    assert face.blendshapes.keys() == last.blendshapes.keys()
    np.testing.assert_allclose(face.pose[:3, :3] @ face.pose[:3, :3].T, np.eye(3), atol=0.01)


def test_where_no_face_is_nothing_is_followed(networks):
    """Another place in the picture, and a place half a face off, are left to the search."""
    (last,) = shared(sample("face_landmarker"), 1).find(rgb_at("cap12", 50))
    box = box_of(last.points)
    follower = Follower(networks)
    assert follower.find(still("cap12", 50), last, box._replace(left=box.left - 3 * box.width), WHOLE) is None
    assert follower.find(still("cap12", 50), last, box._replace(left=box.left - box.width / 2), WHOLE) is None


def test_threads_get_the_same_answers(networks):
    """Bit for bit, with no more pairs than threads."""
    seen = [np.full((MESH_PX, MESH_PX, 3), grey, np.uint8) for grey in (0, 90, 255)] * 4
    alone = [networks.measure(rgb)[0] for rgb in seen]
    with ThreadPoolExecutor(3) as threads:
        together = [points for points, _ in threads.map(networks.measure, seen)]
    np.testing.assert_array_equal(alone, together)
    assert networks.created <= 4


def test_names_and_points_are_those_of_the_network():
    """52 names, none twice; 146 points of the mesh in rising order."""
    assert len(set(NAMES)) == len(NAMES) == 52
    assert len(POINTS) == 146
    assert list(POINTS) == sorted(set(POINTS))


def test_a_broken_model_says_how_to_get_it(tmp_path):
    """A file that is no bundle is refused, a missing one as well."""
    broken = tmp_path / "broken.task"
    for content in (None, b"no bundle"):
        if content is not None:
            broken.write_bytes(content)
        with pytest.raises(AssetError, match="lifesign setup"):
            MeshNetworks(broken)


def test_litert_is_a_version_that_keeps_to_itself():
    """What it calls telemetry stays in the process: no library of it can look up a name or open a connection."""
    assert version("ai-edge-litert") == "2.3.0"
    libraries = [Path(file.locate()) for file in files("ai-edge-litert") if file.suffix == ".so"]
    assert any(library.name.startswith("libpywrap") for library in libraries)
    for library in libraries:
        content = library.read_bytes()
        assert not any(name in content for name in (b"getaddrinfo", b"gethostbyname", b"curl_easy", b"SSL_connect"))


def test_without_litert_auto_is_mediapipe_and_mesh_says_what_to_install(monkeypatch):
    """The runtime is an extra: automatic does without, a wish for it is answered."""
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.setattr(mesh, "find_spec", lambda _name: None)
    assert finder(FacesSettings())._search._follower is None
    with pytest.raises(StartError, match="lifesign\\[fast\\]"):
        MeshNetworks(sample("face_landmarker"))
