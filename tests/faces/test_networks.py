# SPDX-License-Identifier: Apache-2.0
"""The networks of the model file: the same answers from any thread, and what is said where they cannot run."""

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import files, version
from pathlib import Path

import numpy as np
import pytest

from monitor.config import FacesSettings
from monitor.errors import AssetError, StartError
from monitor.faces import networks
from monitor.faces.blendshapes import NAMES, POINTS
from monitor.faces.landmarker import Landmarker
from monitor.faces.networks import FaceNetworks
from monitor.faces.roi import MESH_PX
from tests.faces.footage import finder
from tests.fakes.media import sample


def test_threads_get_the_same_answers():
    """Bit for bit, with no more sets than threads."""
    borrowed = FaceNetworks(sample("face_landmarker"))
    seen = [np.full((MESH_PX, MESH_PX, 3), grey, np.uint8) for grey in (0, 90, 255)] * 4
    alone = [borrowed.measure(rgb)[0] for rgb in seen]
    with ThreadPoolExecutor(3) as threads:
        together = [points for points, _ in threads.map(borrowed.measure, seen)]
    np.testing.assert_array_equal(alone, together)
    assert borrowed.created <= 4


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
            FaceNetworks(broken)


def test_litert_is_a_version_that_keeps_to_itself():
    """What it calls telemetry stays in the process: no library of it can look up a name or open a connection."""
    assert version("ai-edge-litert") == "2.3.0"
    libraries = [Path(file.locate()) for file in files("ai-edge-litert") if file.suffix == ".so"]
    assert any(library.name.startswith("libpywrap") for library in libraries)
    for library in libraries:
        content = library.read_bytes()
        assert not any(name in content for name in (b"getaddrinfo", b"gethostbyname", b"curl_easy", b"SSL_connect"))


def test_without_litert_auto_is_mediapipe_and_a_wish_for_it_says_what_to_install(monkeypatch):
    """The runtime is an extra: automatic does without."""
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.setattr(networks, "find_spec", lambda _name: None)
    assert isinstance(finder(FacesSettings())._search._landmarker, Landmarker)
    with pytest.raises(StartError, match="lifesign\\[fast\\]"):
        FaceNetworks(sample("face_landmarker"))
