# SPDX-License-Identifier: Apache-2.0
"""Another camera: as often as asked, visible, and decided by the seed alone."""

import numpy as np
import pytest

from models.data.camera import another_camera
from models.forgeries.clip import Clip
from tests.fakes.drawn_faces import drawn_clip


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Two frames of a drawn face."""
    return drawn_clip(2, seed=3)


def test_never_means_never(clip: Clip) -> None:
    """With a share of 0 the clip comes back as it is."""
    assert all(another_camera(clip, np.random.default_rng(seed), 0.0) is clip for seed in range(20))


def test_always_changes_the_picture_and_keeps_the_landmarks(clip: Clip) -> None:
    """With a share of 1 every clip is changed, by the same seed alike."""
    seen, again = (another_camera(clip, np.random.default_rng(5), 1.0) for _ in range(2))
    assert (seen.rgb == again.rgb).all()
    assert (seen.rgb != clip.rgb).any()
    assert seen.points is clip.points


def test_the_share_is_kept(clip: Clip) -> None:
    """About so many clips are changed."""
    changed = [another_camera(clip, np.random.default_rng(seed), 0.4) is not clip for seed in range(200)]
    assert 0.3 < np.mean(changed) < 0.5
