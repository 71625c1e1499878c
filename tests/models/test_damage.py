# SPDX-License-Identifier: Apache-2.0
"""A clip in, the same clip as a poor call shows it out: alike for twins, and told to the network as its quality."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.codec import Compression
from models.data.damage import FULL_FACE, Damage, draw_damage
from models.data.network import Network
from tests.fakes.drawn_faces import SIDE_PX, drawn_clip

CLEAN = Damage(
    colour=None, grey=False, noise=0.0, blur_px=0.0, face_px=512.0, compression=None, jpeg_quality=None, seed=5
)


@given(seed=st.integers(0, 2**31 - 1))
def test_twins_alike_before_are_alike_after(seed: int) -> None:
    """Every draw, with encoders, freezes and torn rows, changes equal clips equally and says so in 0..1."""
    clip = drawn_clip(4, seed=3).rgb
    damage = draw_damage(np.random.default_rng(seed), grey=False, face_px=90.0)
    assert damage == draw_damage(np.random.default_rng(seed), grey=False, face_px=90.0)
    result = damage.apply(clip)
    assert (result == damage.apply(clip.copy())).all()
    assert result.shape == clip.shape
    assert damage.quality.shape == (4,)
    assert damage.quality.dtype == np.float32
    assert 0.0 <= damage.quality.min() <= damage.quality.max() <= 1.0
    assert damage.face_px <= 90.0


def test_nothing_drawn_changes_nothing() -> None:
    """A face as large as the picture can show, and no damage."""
    clip = drawn_clip(2).rgb
    assert (CLEAN.apply(clip) == clip).all()
    assert CLEAN.quality.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_a_small_face_is_sent_small_whatever_the_side() -> None:
    """A face of 50 px has the detail of 50 px in exported pictures of any side."""
    small = replace(CLEAN, face_px=50.0)
    assert small.width_px(168) == small.width_px(240) == round(50 / FULL_FACE)
    assert CLEAN.width_px(168) == 168
    clip = drawn_clip(1).rgb
    detail = [float(np.abs(np.diff(one.astype(int), axis=2)).mean()) for one in (clip, small.apply(clip))]
    assert detail[1] < 0.8 * detail[0]


def test_quality_tells_what_was_drawn() -> None:
    """Size, coarseness, blur and noise each move their own number, in the right direction."""
    base = CLEAN.quality
    coarse = [replace(CLEAN, compression=Compression("vp8", level)).quality[1] for level in (10, 30, 60)]
    rates = [replace(CLEAN, face_px=120.0, compression=Compression("vp8", kbps=rate)).quality[1] for rate in (30, 800)]
    assert replace(CLEAN, face_px=60.0).quality[0] < replace(CLEAN, face_px=120.0).quality[0] < base[0]
    assert coarse == sorted(coarse)
    assert rates[0] > rates[1]
    assert replace(CLEAN, jpeg_quality=40).quality[1] == pytest.approx(0.6)
    assert replace(CLEAN, blur_px=0.7).quality[2] == pytest.approx(0.5)
    assert replace(CLEAN, noise=5.0).quality[3] == pytest.approx(0.5)


def test_noise_has_its_strength_and_differs_from_frame_to_frame() -> None:
    """Eight grey levels, nothing in common between frames, fine or coarse by the seed."""
    clip = np.full((3, 96, 96, 3), 128, np.uint8)
    fine, coarse = (replace(CLEAN, noise=8.0, seed=seed).apply(clip).astype(float) - 128 for seed in (4, 5))
    assert fine.std() == pytest.approx(8.0, rel=0.05)
    assert abs(np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1]) < 0.05
    beside = [np.corrcoef(one[0, :, 1:, 0].ravel(), one[0, :, :-1, 0].ravel())[0, 1] for one in (fine, coarse)]
    assert abs(beside[0]) < 0.05
    assert beside[1] > 0.3


def test_loss_repeats_whole_frames_or_tears_rows() -> None:
    """Frozen looks show the frame before; a decoder that goes on keeps old rows only."""
    clip = drawn_clip(12, seed=2).rgb
    frozen = replace(CLEAN, network=Network(loss=0.4)).apply(clip)
    torn = replace(CLEAN, network=Network(loss=0.4), torn=True).apply(clip)
    repeats = [(frozen[index] == frozen[index - 1]).all() for index in range(1, 12)]
    assert any(repeats)
    assert not (torn == clip).all()
    assert not any((torn[index] == torn[index - 1]).all() for index in range(1, 12))


def test_every_kind_of_transport_is_drawn() -> None:
    """Rates and quantisers of both codecs, JPEG, freezes, small and full faces; no encoder where none is wanted."""
    drawn = [draw_damage(np.random.default_rng(seed), grey=False) for seed in range(400)]
    codecs = {(one.compression.codec, one.compression.kbps > 0) for one in drawn if one.compression}
    small = np.mean([one.width_px(240) < 240 for one in drawn])
    assert codecs == {("vp8", True), ("vp8", False), ("h264", True), ("h264", False)}
    assert 0.4 < np.mean([one.compression is not None for one in drawn]) < 0.6
    assert any(one.jpeg_quality for one in drawn)
    assert any(one.network for one in drawn)
    assert 0.3 < small < 0.8
    assert min(one.face_px for one in drawn) >= 48.0
    assert not any(draw_damage(np.random.default_rng(seed), grey=True, codec=False).compression for seed in range(50))


def test_any_side_is_taken() -> None:
    """Nothing is bound to one side of the pictures."""
    for side in (SIDE_PX, 96):
        clip = np.random.default_rng(7).integers(0, 255, (3, side, side, 3), np.uint8)
        for number in range(30):
            assert draw_damage(np.random.default_rng(number), grey=False).apply(clip).shape == clip.shape
