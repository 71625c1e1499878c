# SPDX-License-Identifier: Apache-2.0
"""Fingerprints: blind to brightness, sensitive to what is seen."""

import numpy as np
import pytest

from monitor.faces.patch import face_patch, likeness, scene_patch
from monitor.values import FaceBox, Picture
from tests.faces.footage import image

RNG = np.random.default_rng(11)
ROUGH = np.kron(RNG.integers(40, 180, (9, 12, 3)), np.ones((20, 20, 1))).astype(np.uint8)
OTHER = np.kron(RNG.integers(40, 180, (9, 12, 3)), np.ones((20, 20, 1))).astype(np.uint8)


def test_the_same_scene_in_other_light_is_alike():
    """A darker copy correlates almost fully, another scene hardly."""
    scene = scene_patch(image(ROUGH))
    assert likeness(scene, scene) == pytest.approx(1, abs=1e-5)
    assert likeness(scene, scene_patch(image((ROUGH * 0.6).astype(np.uint8)))) > 0.95
    assert likeness(scene, scene_patch(image(OTHER))) < 0.5


def test_the_size_of_the_picture_does_not_matter():
    """A sender's other resolution shows the same scene."""
    half = np.ascontiguousarray(ROUGH[::2, ::2])
    assert likeness(scene_patch(image(ROUGH)), scene_patch(image(half))) > 0.97


def test_a_flat_picture_is_like_nothing():
    """A white flash correlates with no scene, not even itself, and divides nothing by zero."""
    flat = scene_patch(Picture(np.full((360, 240), 128, np.uint8)))
    assert likeness(flat, flat) == 0
    assert likeness(flat, scene_patch(image(ROUGH))) == 0


@pytest.mark.parametrize(
    "box", [FaceBox(-50, -50, 20, 20), FaceBox(1000, 1000, 5, 5), FaceBox(3, 3, 0, 0), FaceBox(-9, -9, 900, 900)]
)
def test_a_box_outside_the_picture_has_a_fingerprint_too(box):
    """Faces reach over edges: the fingerprint is taken of what there is."""
    patch = face_patch(image(ROUGH), box)
    assert np.isfinite(patch).all()
    assert np.linalg.norm(patch) <= 1 + 1e-5
