# SPDX-License-Identifier: Apache-2.0
"""The scout asks MediaPipe wherever MediaPipe would find somebody, and spares it empty rooms."""

import numpy as np
import pytest

from monitor.faces.mesh import shared_mesh
from monitor.faces.scout import Scout
from monitor.faces.search import Search
from tests.faces.footage import canvas, image, rgb_at
from tests.fakes.media import sample


@pytest.fixture
def scout() -> Scout:
    """A scout with the process's networks."""
    return Scout(shared_mesh(sample("face_landmarker")))


@pytest.mark.parametrize("name", ["cap12", "franck", "pexels_woman", "carphone"])
def test_a_face_is_seen(scout, name):
    """In pictures of any shape, upright or wide."""
    rgb = rgb_at(name, 50)
    assert scout.sees(rgb)
    height, width = rgb.shape[:2]
    assert scout.sees(np.pad(rgb, ((height // 2, height // 2), (0, 0), (0, 0))))
    assert scout.sees(np.pad(rgb, ((0, 0), (width // 2, width // 2), (0, 0))))


@pytest.mark.parametrize("size", [(640, 360), (2, 2), (1, 640), (360, 640), (33, 17)])
def test_an_empty_picture_shows_nobody(scout, size):
    """Texture without a face, of any size."""
    assert not scout.sees(canvas(*size))


class UnwantedLandmarker:
    """A landmarker that must not be asked."""

    def find(self, rgb):
        """Fail."""
        raise AssertionError(rgb.shape)


def test_an_empty_room_costs_no_graph(scout):
    """The search of the whole picture and of its tiles ends with the scout."""
    search = Search(UnwantedLandmarker(), 4, 64, None, scout)
    assert [search.find(image(canvas(1280, 720)), [], look * 0.2) for look in range(6)] == [[]] * 6
