# SPDX-License-Identifier: Apache-2.0
"""Learned re-rendering paints the face with a shipped generator, the same way for the same seed, in any process."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset

from models.forgeries.clip import Clip, Forged
from models.forgeries.rerender import rerender
from models.forgeries.style import PLAIN
from models.generators.recipe import VARIANTS
from models.generators.store import FOLDER, load_all
from tests.fakes.drawn_faces import drawn_clip, resized

SEEDS = range(16)


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Two frames of a drawn face."""
    return drawn_clip(2, seed=1)


@pytest.fixture(scope="module")
def forged(clip: Clip) -> list[Forged]:
    """Several draws."""
    return [rerender(clip, clip, np.random.default_rng(seed), PLAIN) for seed in SEEDS]


def test_every_kept_stage_of_every_variant_is_shipped() -> None:
    """The weights in the tree load, and are small."""
    assert {one.name for one in load_all()} == set(VARIANTS)
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 5_000_000


def test_a_rerendered_clip_keeps_its_contract(clip: Clip, forged: list[Forged]) -> None:
    """Shapes and ranges hold; where the mask is 0 nothing is touched, where it is not something changed."""
    for one in forged:
        assert one.rgb.shape == clip.rgb.shape
        assert one.rgb.dtype == np.uint8
        assert one.mask.shape == clip.rgb.shape[:3]
        assert one.mask.dtype == np.float32
        assert 0.0 <= one.mask.min() < one.mask.max() + 1e-6 <= 1.0 + 2e-6
        assert (one.rgb[one.mask == 0] == clip.rgb[one.mask == 0]).all()
        assert (one.rgb != clip.rgb).any(axis=(1, 2, 3)).all()


def test_some_are_shown_whole_and_some_are_blended(forged: list[Forged]) -> None:
    """A whole picture has a mask of 1 everywhere; a blended face leaves the corners alone."""
    whole = [bool((one.mask == 1).all()) for one in forged]
    assert 0 < sum(whole) < len(whole)
    blended = [one for one, full in zip(forged, whole, strict=True) if not full]
    assert all((one.mask[:, 0, 0] == 0).all() for one in blended)


def test_the_seed_decides(clip: Clip, forged: list[Forged]) -> None:
    """The same seed gives the same forgery, others give others; the clip stays as it was."""
    before = clip.rgb.copy()
    for seed in list(SEEDS)[:4]:
        again = rerender(clip, clip, np.random.default_rng(seed), PLAIN)
        assert (again.rgb == forged[seed].rgb).all()
        assert (again.mask == forged[seed].mask).all()
    assert len({one.rgb.tobytes() for one in forged}) == len(forged)
    assert (clip.rgb == before).all()


@pytest.mark.parametrize("side_px", [112, 150, 240])
def test_any_side_will_do(side_px: int) -> None:
    """Sides that no generator was trained for are scaled to and fro."""
    clip = resized(drawn_clip(1, seed=3), side_px)
    for seed in range(4):
        assert rerender(clip, clip, np.random.default_rng(seed), PLAIN).rgb.shape == (1, side_px, side_px, 3)


def test_threads_are_left_as_they_are(clip: Clip) -> None:
    """Painting sets no number of threads."""
    before = torch.get_num_threads()
    rerender(clip, clip, np.random.default_rng(0), PLAIN)
    assert torch.get_num_threads() == before


class Forgeries(IterableDataset[np.ndarray]):
    """Three forgeries, made where the loader asks for them."""

    def __init__(self, clip: Clip) -> None:
        self.clip = clip

    def __iter__(self) -> Iterator[np.ndarray]:
        """Forge one seed after the other."""
        for seed in range(3):
            yield rerender(self.clip, self.clip, np.random.default_rng(seed), PLAIN).rgb


def test_a_forked_worker_paints_as_its_parent_does(clip: Clip, forged: list[Forged]) -> None:
    """A worker forked after the parent has painted neither hangs nor paints otherwise."""
    loader = DataLoader(Forgeries(clip), batch_size=None, num_workers=1, multiprocessing_context="fork")
    for seed, rgb in enumerate(loader):
        assert np.abs(np.asarray(rgb).astype(int) - forged[seed].rgb).max() <= 1
