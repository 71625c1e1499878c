# SPDX-License-Identifier: Apache-2.0
"""Harmless treatments: visible, reproducible, in the right place, and never the same thing twice where time matters."""

import numpy as np
import pytest

from models.forgeries.clip import Clip
from models.forgeries.detail import sharpness
from models.forgeries.harmless import TREATMENTS, harmless
from models.forgeries.regions import LEFT_EYE, MOUTH, RIGHT_EYE
from tests.fakes.drawn_faces import SIDE_PX, drawn_clip, resized

NAMES = sorted(TREATMENTS)


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Four frames of a drawn face."""
    return drawn_clip(4, seed=1)


@pytest.fixture(scope="module")
def still() -> Clip:
    """A drawn face that is held for four frames."""
    one = drawn_clip(1, seed=1)
    return Clip(np.repeat(one.rgb, 4, axis=0), np.repeat(one.points, 4, axis=0))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(2))
def test_a_treatment_is_visible_and_reproducible(name: str, seed: int, clip: Clip) -> None:
    """It changes the clip, the same seed gives the same change, and the original is left alone."""
    before = clip.rgb.copy()
    treated, again = (harmless(clip, np.random.default_rng(seed), name) for _ in range(2))
    assert treated.shape == clip.rgb.shape
    assert treated.dtype == np.uint8
    assert (treated == again).all()
    assert (treated != before).any()
    assert (clip.rgb == before).all()


@pytest.mark.parametrize("name", NAMES)
def test_one_frame_and_any_side_will_do(name: str) -> None:
    """Stills and other sides are treated as well."""
    small = resized(drawn_clip(1, seed=2), 113)
    treated = harmless(small, np.random.default_rng(0), name)
    assert treated.shape == (1, 113, 113, 3)
    assert (treated != small.rgb).any()


def test_every_treatment_is_drawn(clip: Clip) -> None:
    """Without a name one is drawn; all of them come up."""
    first = Clip(clip.rgb[:1], clip.points[:1])
    seen = {
        name
        for seed in range(60)
        for name in NAMES
        if (harmless(first, np.random.default_rng(seed)) == harmless(first, np.random.default_rng(seed), name)).all()
    }
    assert seen == set(NAMES)


@pytest.mark.parametrize("name", ["sharpening", "smooth_picture", "smooth_skin", "make_up", "glasses_glare"])
def test_what_is_worn_or_built_in_stays_the_same(name: str, still: Clip) -> None:
    """On a held still such a treatment is the same in every frame."""
    treated = harmless(still, np.random.default_rng(1), name)
    assert (treated == treated[:1]).all()


@pytest.mark.parametrize("name", ["low_light", "motion_blur", "exposure_steps", "white_balance_drift"])
def test_what_happens_in_time_changes_from_frame_to_frame(name: str, still: Clip) -> None:
    """On a held still the frames come out different."""
    shown = [harmless(still, np.random.default_rng(seed), name) for seed in range(4)]
    assert any((treated != treated[:1]).any() for treated in shown)


def test_sharpening_sharpens_and_smoothing_smooths(clip: Clip) -> None:
    """By the Laplacian of the luma."""
    before = sharpness(clip.rgb[0])
    assert sharpness(harmless(clip, np.random.default_rng(0), "sharpening")[0]) > before
    assert sharpness(harmless(clip, np.random.default_rng(0), "smooth_picture")[0]) < before


def test_make_up_keeps_to_the_face(clip: Clip) -> None:
    """Lips change, the background does not."""
    treated = harmless(clip, np.random.default_rng(0), "make_up")
    x, y = np.rint(clip.points[0][MOUTH[5]]).astype(int)
    assert (treated[0, y - 2 : y + 3, x - 2 : x + 3] != clip.rgb[0, y - 2 : y + 3, x - 2 : x + 3]).any()
    assert (treated[:, :20] == clip.rgb[:, :20]).all()


def test_a_virtual_background_keeps_the_face(clip: Clip) -> None:
    """Eyes, nose and mouth are the camera's; the picture's corners are not."""
    for seed in range(4):
        treated = harmless(clip, np.random.default_rng(seed), "virtual_background")
        x, y = np.rint(clip.points[0][list(LEFT_EYE + RIGHT_EYE + MOUTH)].mean(axis=0)).astype(int)
        assert (treated[0, y - 10 : y + 10, x - 10 : x + 10] == clip.rgb[0, y - 10 : y + 10, x - 10 : x + 10]).all()
        assert (treated[:, :8, :8] != clip.rgb[:, :8, :8]).any()


def test_glasses_sit_on_the_eyes(clip: Clip) -> None:
    """Nothing changes far from the eyes."""
    treated = harmless(clip, np.random.default_rng(2), "glasses_glare")
    changed = (treated[0] != clip.rgb[0]).any(axis=2)
    assert changed.any()
    assert not changed[SIDE_PX - 60 :].any()
