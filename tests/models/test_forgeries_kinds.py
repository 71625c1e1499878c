# SPDX-License-Identifier: Apache-2.0
"""What each kind of forgery is there for: what it does to a face that no other kind does."""

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.forgeries.clip import Clip, blend
from models.forgeries.detail import DetailLoss, draw_detail
from models.forgeries.flicker import draw_dropout
from models.forgeries.masks import draw_face_mask
from models.forgeries.mix import FORGERS, forge
from models.forgeries.motion import draw_expression, holds_still, wander
from models.forgeries.mouth_interior import MouthInterior, opens
from models.forgeries.occluder import draw_occluder
from models.forgeries.paper import draw_paper
from models.forgeries.regions import INNER_LIPS, MOUTH, face_px, hull_mask
from models.forgeries.retimed import retimed
from models.forgeries.screen import draw_screen
from models.forgeries.style import PLAIN, Style
from models.forgeries.upsampling import UpSampling, draw_upsampling
from models.forgeries.whole_frame import shrink_texture, snap_chroma
from tests.fakes.drawn_faces import SIDE_PX, drawn_clip


def held(frames: int, seed: int = 3) -> Clip:
    """A still that is shown for some frames."""
    still = drawn_clip(1, seed)
    return Clip(np.repeat(still.rgb, frames, axis=0), np.repeat(still.points, frames, axis=0))


def forgeries(kind: str, clip: Clip, seeds: int = 6) -> list:
    """The first few forgeries of a kind."""
    donor = drawn_clip(1, seed=2)
    return [forge(kind, clip, donor, np.random.default_rng(seed)) for seed in range(seeds)]


@given(frames=st.integers(1, 40), seed=st.integers(0, 10_000))
def test_a_dropout_is_short_in_one_piece_and_never_first(frames: int, seed: int) -> None:
    """At most three frames, at most a third of the clip, so that most of a forged clip is forged."""
    dropped = draw_dropout(np.random.default_rng(seed), frames)
    assert dropped.shape == (frames,)
    assert dropped.sum() <= min(3, frames // 3)
    assert not dropped[0]
    assert (np.diff(dropped.astype(int)) == 1).sum() <= 1


def test_flicker_drops_out_and_trembles() -> None:
    """Some frames are the original's with an empty mask; on a held still the mask moves in the others."""
    clip = held(9)
    shown = forgeries("flicker", clip)
    empty = [forged.mask.reshape(9, -1).max(axis=1) == 0 for forged in shown]
    assert any(one.any() for one in empty)
    for forged, missing in zip(shown, empty, strict=True):
        assert (forged.rgb[missing] == clip.rgb[missing]).all()
        there = forged.mask[~missing]
        assert (there[0] != there[1]).any()


def test_occlusion_covers_both_twins_and_the_forgery_less() -> None:
    """The real twin has the thing before the face; where the forgery draws skin it comes nearer to the bare face."""
    clip = drawn_clip(3, seed=1)
    painted_over = 0
    for forged in forgeries("occlusion", clip, 8):
        real = forged.twin(clip)
        hidden = np.abs(real.astype(int) - clip.rgb).mean(axis=3)
        assert (hidden > 0).mean() > 0.02
        assert (forged.points(clip) == clip.points).all()
        painted = (hidden > 40) & (forged.mask > 0.5)
        if painted.any():
            painted_over += 1
            shown = np.abs(forged.rgb.astype(int) - clip.rgb).mean(axis=3)
            assert shown[painted].mean() < 0.8 * hidden[painted].mean()
    assert painted_over >= 4


@pytest.mark.parametrize("seed", range(6))
def test_an_occluder_lies_on_the_face(seed: int) -> None:
    """Every drawn thing covers some of the face and leaves most of the picture alone."""
    clip = drawn_clip(2, seed=1)
    _, opacity = draw_occluder(clip, np.random.default_rng(seed)).before(clip.rgb[0], clip.points[0], 0)
    assert opacity[hull_mask(clip.points[0], SIDE_PX) > 0].max() > 0.5
    assert (opacity > 0.5).mean() < 0.3


def test_an_animated_still_shows_one_moment_in_motion() -> None:
    """On a film with a new grain in every frame, the forged frames share one still; they move nevertheless."""
    clip = drawn_clip(4, seed=1)
    for forged in forgeries("animated_still", clip):
        assert (forged.rgb[0] != forged.rgb[-1]).any()


def test_a_held_still_is_shaken_in_both_twins() -> None:
    """Motion alone must not tell the twins of a still apart: the real one is moved as a whole."""
    clip = held(5)
    assert holds_still(clip.points)
    for forged in forgeries("animated_still", clip, 3):
        real = forged.twin(clip)
        assert (real[0] != real[-1]).any()


def test_a_portrait_that_is_driven_stands_against_itself() -> None:
    """With a donor, the real twin is the donor's portrait, moved as the head moves, with landmarks that fit it."""
    clip, donor = drawn_clip(3, seed=1), drawn_clip(1, seed=2)
    driven = [
        forged
        for forged in (forge("animated_still", clip, donor, np.random.default_rng(seed)) for seed in range(12))
        if forged.original is not None
    ]
    assert driven
    for forged in driven:
        assert np.abs(forged.twin(clip)[0].astype(int) - donor.rgb[0]).mean() < 3.0
        assert forged.points(clip)[0] == pytest.approx(donor.points[0], abs=0.1)


def test_retiming_leaves_the_rest_of_the_face() -> None:
    """Forehead and hair are the original's in every frame, mouth or eyes are not."""
    clip = drawn_clip(6, seed=1)
    for seed in range(4):
        forged = retimed(clip, clip, np.random.default_rng(seed), PLAIN)
        assert (forged.rgb[:, :40] == clip.rgb[:, :40]).all()
        assert all((fake != real).any() for fake, real in zip(forged.rgb, clip.rgb, strict=True))


def test_a_still_that_is_retimed_talks_or_blinks() -> None:
    """Without motion to re-time there is a drawn one: the frames differ from each other."""
    for forged in forgeries("retimed", held(4), 4):
        assert len({frame.tobytes() for frame in forged.rgb}) > 1


def test_an_open_mouth_is_dark_inside() -> None:
    """Painting fills the opening between the lips and nothing beyond them."""
    clip = drawn_clip(1)
    shut, points = clip.points[0].copy(), clip.points[0].copy()
    shut[list(INNER_LIPS), 1] = shut[list(INNER_LIPS), 1].mean()
    points[list(INNER_LIPS)] += 4 * (points[list(INNER_LIPS)] - points[list(INNER_LIPS)].mean(axis=0)) * (0, 1)
    assert opens(shut, points)
    assert not opens(points, points)
    assert not opens(clip.points[0], points)
    painted = MouthInterior(0.2, 0.0, 0.004).paint(clip.rgb[0], points)
    x, y = np.rint(points[list(INNER_LIPS)].mean(axis=0)).astype(int)
    assert painted[y, x].max() < 60
    assert (painted[:60] == clip.rgb[0, :60]).all()


@pytest.mark.parametrize("factor", [2, 4])
def test_uneven_up_sampling_leaves_a_grid(factor: int) -> None:
    """On a plain picture the spectrum has its peak at the enlargement's period; an even kernel leaves nothing."""
    plain = np.full((96, 96, 3), 120, np.uint8)
    line = 1.0 - np.abs(np.arange(1 - factor, factor)) / factor
    even = np.outer(line, line).astype(np.float32)
    rough = even * np.exp(np.random.default_rng(1).normal(0, 0.2, even.shape)).astype(np.float32)
    rough *= factor**2 / rough.sum()
    assert (UpSampling(factor, even, factor - 1, 1.0).apply(plain) == plain).all()
    marked = UpSampling(factor, rough, factor - 1, 1.0).apply(plain)[:, :, 0].astype(float)
    spectrum = np.abs(np.fft.rfft(marked - marked.mean(), axis=1)).mean(axis=0)
    assert int(spectrum.argmax()) % (96 // factor) == 0


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), side=st.integers(16, 65))
def test_up_sampling_fits_any_side_and_keeps_the_brightness(seed: int, side: int) -> None:
    """Sides that the factor does not divide keep their shape; the picture stays as bright as it was."""
    rgb = np.full((side, side, 3), 100, np.uint8)
    marked = draw_upsampling(np.random.default_rng(seed)).apply(rgb)
    assert marked.shape == rgb.shape
    assert abs(float(marked.mean()) - 100) < 6


def test_shrinking_takes_texture_and_leaves_edges() -> None:
    """Weak grain goes, a strong edge stays."""
    rng = np.random.default_rng(0)
    picture = np.full((64, 64, 3), 80.0)
    picture[:, 32:] = 180
    noisy = np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
    shrunk = shrink_texture(noisy, (12.0, 8.0)).astype(float)
    assert shrunk[8:56, 4:28].std() < 0.5 * noisy[8:56, 4:28].std()
    assert shrunk[:, 35].mean() - shrunk[:, 28].mean() > 80


def test_snapped_chroma_has_few_values() -> None:
    """Few chroma levels are left; brightness stays."""
    rgb = drawn_clip(1).rgb[0]
    snapped = snap_chroma(rgb, 12)
    before, after = (cv2.cvtColor(one, cv2.COLOR_RGB2YCrCb).astype(int) for one in (rgb, snapped))
    assert np.abs(before[:, :, 0] - after[:, :, 0]).mean() < 3
    assert len(np.unique(after[::2, ::2, 1])) <= len(np.unique(before[::2, ::2, 1]))


def test_texture_and_geometry_are_drawn_once_for_a_clip() -> None:
    """On a held still a whole rendering is the same in every frame unless its geometry swims."""
    same = [(forged.rgb == forged.rgb[:1]).all() for forged in forgeries("whole_frame", held(3), 8)]
    assert any(same)
    assert not all(same)


def test_a_screen_shimmers_and_a_print_is_static() -> None:
    """A display beats against the camera from frame to frame; a print of a film shows its first moment only."""
    screens = forgeries("screen", held(3), 6)
    assert any((forged.rgb[0] != forged.rgb[1]).any() for forged in screens)
    film = drawn_clip(3, seed=1)
    first_only = Clip(np.repeat(film.rgb[:1], 3, axis=0), film.points)
    for seed in range(2):
        a, b = (FORGERS["paper"](one, one, np.random.default_rng(seed), PLAIN) for one in (film, first_only))
        assert (a.rgb == b.rgb).all()


def test_moire_is_periodic_and_coloured() -> None:
    """On a plain picture the channels' waves are out of phase."""
    shown = draw_screen(SIDE_PX, 1, np.random.default_rng(0), PLAIN)
    plain = dataclasses.replace(
        shown, moire=0.15, levels=0, edge=np.zeros_like(shown.edge), glare=np.zeros_like(shown.glare)
    ).show(np.full((SIDE_PX, SIDE_PX, 3), 128, np.uint8), 0)
    assert plain.std(axis=(0, 1)).min() > 3
    correlation = np.corrcoef(plain[:, :, 0].ravel(), plain[:, :, 2].ravel())[0, 1]
    assert correlation < 0.9


def test_ink_has_a_smaller_gamut() -> None:
    """Black is grey and chroma is lower than it was."""
    rgb = drawn_clip(1).rgb[0]
    printed = draw_paper(SIDE_PX, np.random.default_rng(1), PLAIN).print(rgb)
    assert printed.min() > 10
    spread = [np.ptp(one.astype(int), axis=2).mean() for one in (printed, rgb)]
    assert spread[0] < spread[1]


@pytest.mark.parametrize("kind", sorted(FORGERS))
@pytest.mark.parametrize("factor", [0.25, 2.0])
def test_every_style_makes_a_forgery(kind: str, factor: float) -> None:
    """Both ends of every factor can be drawn."""
    style = Style(factor, factor, factor, factor, factor, enhanced=factor / 2, transparent=factor / 2)
    clip, donor = drawn_clip(2, seed=1), drawn_clip(1, seed=2)
    forged = forge(kind, clip, donor, np.random.default_rng(0), style)
    assert (forged.rgb != forged.twin(clip)).any()
    assert 0.0 <= forged.mask.min() <= forged.mask.max() <= 1.0


def test_a_style_scales_what_is_drawn() -> None:
    """The same seed with a stronger style loses more detail, softens the mask more, and shares are kept to."""
    weak, strong = (Style(detail=factor, softness=factor, bending=factor) for factor in (0.5, 1.5))
    for seed in range(5):
        losses = [draw_detail(np.random.default_rng(seed), 0.3, 0.8, style).scale for style in (weak, strong)]
        assert losses[0] > losses[1]
        masks = [draw_face_mask(SIDE_PX, np.random.default_rng(seed), style) for style in (weak, strong)]
        assert masks[0].softness_px < masks[1].softness_px
        assert np.abs(masks[0].field).sum() <= np.abs(masks[1].field).sum()
    opaque = Style(transparent=0.0, enhanced=0.0)
    assert {draw_face_mask(SIDE_PX, np.random.default_rng(seed), opaque).opacity for seed in range(20)} == {1.0}
    assert {draw_detail(np.random.default_rng(seed), 0.3, 0.8, opaque).unsharp for seed in range(20)} == {0.0}


def test_detail_loss_of_nothing_changes_nothing() -> None:
    """Full resolution, no smoothing, no sharpening, no traces: the same picture."""
    rgb = drawn_clip(1).rgb[0]
    assert (DetailLoss(1.0, cv2.INTER_AREA, cv2.INTER_LINEAR, 0.0, 0.0).apply(rgb) == rgb).all()


@given(seed=st.integers(0, 1000), opacity=st.floats(0, 1, width=32))
def test_a_blend_is_between_its_pictures_and_exact_outside(seed: int, opacity: float) -> None:
    """Inside it lies between both, where the weight is 0 it is the lower one, bit for bit."""
    rng = np.random.default_rng(seed)
    below, above = (rng.integers(0, 256, (12, 12, 3)).astype(np.uint8) for _ in range(2))
    mask = np.where(rng.random((12, 12)) < 0.5, np.float32(opacity), np.float32(0))
    mixed = blend(below, above, mask)
    assert (mixed[mask == 0] == below[mask == 0]).all()
    assert (mixed >= np.minimum(below, above)).all()
    assert (mixed <= np.maximum(below, above)).all()


def test_an_expression_opens_the_mouth_and_shuts_the_eyes() -> None:
    """Lips part by the drawn share of the face, lids meet, and no expression moves nothing."""
    clip = drawn_clip(1)
    expression = draw_expression(np.random.default_rng(0), 3)
    still = dataclasses.replace(expression, turn=np.zeros(3), opening=np.zeros(3), blink=np.zeros(3))
    assert (still.apply(clip.points[0], 0) == clip.points[0]).all()
    opened = dataclasses.replace(still, opening=np.full(3, 0.1)).apply(clip.points[0], 0)
    moved = np.abs(opened - clip.points[0])
    assert moved[17].max() == pytest.approx(0.1 * face_px(clip.points[0]), rel=0.05)
    assert (moved[list(set(MOUTH) & {0, 37, 267})] == 0).all()


@given(frames=st.integers(1, 200), memory=st.floats(0, 0.99))
def test_wandering_series_keep_their_length_and_stay_finite(frames: int, memory: float) -> None:
    """Any length and memory."""
    series = wander(np.random.default_rng(0), frames, memory)
    assert series.shape == (frames,)
    assert np.isfinite(series).all()
