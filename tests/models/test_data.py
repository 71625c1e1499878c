# SPDX-License-Identifier: Apache-2.0
"""Crops in, pairs out: twins share everything but the forgery, and only lawful real faces are learnt from."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data import pairs as pairs_module
from models.data.batches import BatchStream, Shape
from models.data.codec import Compression, compress, jpeg
from models.data.crops import load_footage
from models.data.damage import draw_damage
from models.data.licences import forbidden
from models.data.making import Making, StyledKind
from models.data.pairs import boundary_map, central_crop, crop_px_of, make_pair
from models.data.people import for_calibration, split_people
from models.errors import DataError
from models.forgeries.clip import Clip, Forged
from models.forgeries.style import Style
from tests.fakes.drawn_faces import SIDE_PX, drawn_clip, drawn_footage, write_crops

CROP_PX = crop_px_of(SIDE_PX)
BOUNDARY_CELLS = CROP_PX // 8


@given(seed=st.integers(0, 2**31 - 1))
def test_equal_clips_get_equal_damage(seed: int) -> None:
    """Whatever is drawn, two clips that are the same before are the same after; shape and type stay."""
    clip = drawn_clip(2, seed=4).rgb
    damage = draw_damage(np.random.default_rng(seed), grey=bool(seed % 2))
    first, second = damage.apply(clip), damage.apply(clip.copy())
    assert (first == second).all()
    assert first.shape == clip.shape
    assert first.dtype == np.uint8
    assert not damage.grey or np.abs(first[..., 0].astype(int) - first[..., 1]).mean() < 3.0


def test_twins_of_a_forgery_that_does_nothing_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the forgery tells the twins apart: camera, damage, blur, view and flip are shared."""

    def nothing(kind: str, clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
        return Forged(clip.rgb.copy(), np.zeros(clip.rgb.shape[:3], np.float32))

    monkeypatch.setattr(pairs_module, "forge", nothing)
    people = [drawn_footage(4, seed) for seed in range(3)]
    making = Making(camera_share=0.6, harmless_share=0.0)
    for seed in range(12):
        pair = make_pair(people[0], people, 3, np.random.default_rng(seed), making)
        assert (pair.real == pair.fake).all()
        assert pair.boundary.max() == 0.0


@given(seed=st.integers(0, 2**31 - 1), frames=st.integers(1, 6), length=st.integers(1, 5))
def test_a_pair_keeps_its_contract(seed: int, frames: int, length: int) -> None:
    """Any length of film and clip gives crops of the run-time size, a boundary in 0..1, and footage left as it was."""
    people = [drawn_footage(length, 1), drawn_footage(1, 2)]
    before = people[0].rgb.copy()
    pair = make_pair(people[0], people, frames, np.random.default_rng(seed), Making())
    assert pair.real.shape == pair.fake.shape == (frames, CROP_PX, CROP_PX, 3)
    assert pair.real.dtype == pair.fake.dtype == np.uint8
    assert pair.boundary.shape == (frames, BOUNDARY_CELLS, BOUNDARY_CELLS)
    assert 0.0 <= pair.boundary.min() <= pair.boundary.max() <= 1.0
    assert (people[0].rgb == before).all()


def test_a_pair_is_reproducible_and_differs_from_its_twin() -> None:
    """The seed decides everything, and most pairs can be told apart."""
    people = [drawn_footage(4, seed) for seed in range(3)]
    told_apart = 0
    for seed in range(10):
        first, again = (make_pair(people[0], people, 2, np.random.default_rng(seed), Making()) for _ in range(2))
        assert (first.real == again.real).all()
        assert (first.fake == again.fake).all()
        told_apart += bool((first.real != first.fake).any())
    assert told_apart == 10


def test_a_found_style_is_drawn_at_its_share() -> None:
    """What a contest found takes its share of the draws, by weight; the rest are of the plain kinds."""
    found = Style(colour=0.25)
    making = Making(
        (("self_blend", 1.0),), (StyledKind("drift", found, 3.0), StyledKind("mouth", found, 1.0)), styled_share=0.5
    )
    rng = np.random.default_rng(3)
    drawn = [making.draw_kind(rng) for _ in range(800)]
    shares = {kind: sum(name == kind for name, _ in drawn) / 800 for kind in ("self_blend", "drift", "mouth")}
    assert shares == pytest.approx({"self_blend": 0.5, "drift": 0.375, "mouth": 0.125}, abs=0.06)
    assert all((style is found) == (kind != "self_blend") for kind, style in drawn)


def test_larger_exports_are_scaled_down_and_never_up(tmp_path: Path) -> None:
    """Pictures and landmarks shrink together; crops that were exported too small are refused."""
    write_crops(tmp_path, [drawn_footage(2, 1)], "val")
    (whole,) = load_footage(tmp_path, "val", for_training=False)
    (small,) = load_footage(tmp_path, "val", for_training=False, crop_px=CROP_PX // 2)
    assert small.rgb.shape[1] == SIDE_PX // 2
    assert small.points == pytest.approx(whole.points / 2)
    with pytest.raises(DataError, match="export them again"):
        load_footage(tmp_path, "val", for_training=False, crop_px=CROP_PX + 8)


def test_the_boundary_is_where_the_blend_is_half_way() -> None:
    """Highest at the edge of a soft disc, nothing inside or outside, whatever the opacity."""
    y, x = np.mgrid[:CROP_PX, :CROP_PX]
    distance = np.hypot(x - 56, y - 56)
    disc = np.clip((40 - distance) / 12, 0, 1).astype(np.float32)[None]
    full, faint = boundary_map(disc), boundary_map(disc * 0.5)
    assert full == pytest.approx(faint, abs=1e-5)
    assert full[0, 7, 7] == 0.0
    assert full[0, 0, 0] == 0.0
    assert full[0, 7, 2:4].max() > 0.3


def test_the_central_crop_is_the_run_time_crop() -> None:
    """112 of 168 pixels, in the very middle."""
    picture = np.zeros((1, SIDE_PX, SIDE_PX, 3), np.uint8)
    picture[:, 28:140, 28:140] = 9
    assert (central_crop(picture) == 9).all()
    assert central_crop(picture).shape == (1, CROP_PX, CROP_PX, 3)


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_the_codec_is_real_and_its_quantiser_matters(codec: str) -> None:
    """Frames come back in number and size; a coarser quantiser loses more."""
    clip = drawn_clip(4, seed=7).rgb
    fine = compress(clip, Compression(codec, 12), SIDE_PX)
    coarse = compress(clip, Compression(codec, 48), SIDE_PX)
    small = compress(clip, Compression(codec, 12), SIDE_PX // 3)
    loss = [float(np.abs(one.astype(int) - clip).mean()) for one in (fine, coarse, small)]
    assert all(one.shape == clip.shape for one in (fine, coarse, small))
    assert 0.0 < loss[0] < 0.7 * loss[1]
    assert loss[0] < loss[2]


def test_jpeg_loses_more_at_lower_quality() -> None:
    """Quality 30 is farther from the original than quality 95."""
    rgb = drawn_clip(1).rgb[0]
    loss = [float(np.abs(jpeg(rgb, quality).astype(int) - rgb).mean()) for quality in (95, 30)]
    assert 0.0 < loss[0] < loss[1]


def test_batches_depend_on_seed_and_number_alone() -> None:
    """A resumed stream goes on with the batch that would have come; people are drawn evenly."""
    people = [drawn_footage(3, seed) for seed in range(3)] + [drawn_footage(1, seed) for seed in range(3, 6)]
    shapes = (Shape(2, 3, films=True), Shape(3, 2, films=False))
    fresh, resumed = BatchStream(people, shapes, 1), BatchStream(people, shapes, 1, first=1)
    stream = iter(fresh)
    next(stream)
    second, again = next(stream), next(iter(resumed))
    assert (second.clips == again.clips).all()
    assert second.kinds == again.kinds
    assert second.clips.shape == (6, 2, CROP_PX, CROP_PX, 3)
    assert fresh.batch(0).clips.shape == (4, 3, CROP_PX, CROP_PX, 3)


def test_crops_survive_the_way_through_files(tmp_path: Path) -> None:
    """What the export writes is what is loaded; small faces can be left out."""
    people = [drawn_footage(2, 1), drawn_footage(1, 2)]
    write_crops(tmp_path, people)
    loaded = load_footage(tmp_path, "train", for_training=True)
    assert [one.identity for one in loaded] == ["person:1", "person:2"]
    assert (loaded[0].rgb == people[0].rgb).all()
    with pytest.raises(DataError, match="at least 300 px"):
        load_footage(tmp_path, "train", for_training=True, least_px=300)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"licence": "none"}, "forbids training"),
        ({"licence": "CC BY-NC 4.0"}, "forbids training"),
        ({"licence": ""}, "forbids training"),
        ({"label": "swap"}, "real faces only"),
        ({"split": "val"}, "real faces only"),
    ],
)
def test_unlawful_training_data_is_refused(change: dict[str, str], words: str, tmp_path: Path) -> None:
    """One such row among lawful ones is enough."""
    write_crops(tmp_path, [drawn_footage(1, 1), drawn_footage(1, 2, **change)])
    with pytest.raises(DataError, match=words):
        load_footage(tmp_path, "train", for_training=True)


def test_validation_footage_cannot_be_learnt_from(tmp_path: Path) -> None:
    """Whatever its rows say."""
    write_crops(tmp_path, [drawn_footage(1, 1)], "val")
    with pytest.raises(DataError, match="not for training"):
        load_footage(tmp_path, "val", for_training=True)
    assert load_footage(tmp_path, "val", for_training=False)


def test_open_licences_are_allowed() -> None:
    """The licences of the training sources."""
    assert not any(map(forbidden, ("MIT", "Apache-2.0", "CC0 1.0", "CC BY 4.0", "US government portrait")))


def test_missing_empty_and_damaged_crops_are_told_apart(tmp_path: Path) -> None:
    """Each names what to do."""
    with pytest.raises(DataError, match="export the footage first"):
        load_footage(tmp_path, "train", for_training=True)
    write_crops(tmp_path, [drawn_footage(1, 1)])
    (tmp_path / "train" / "0.npz").write_bytes(b"no archive")
    with pytest.raises(DataError, match="export it again"):
        load_footage(tmp_path, "train", for_training=True)
    (tmp_path / "train.csv").write_text("id,file\n")
    with pytest.raises(DataError, match="lists no crops"):
        load_footage(tmp_path, "train", for_training=True)


def test_wrong_shapes_are_refused(tmp_path: Path) -> None:
    """Crops without as many landmark sets are not crops."""
    one = drawn_footage(2, 1)
    write_crops(tmp_path, [dataclasses.replace(one, points=one.points[:1])])
    with pytest.raises(DataError, match="crops with landmarks"):
        load_footage(tmp_path, "train", for_training=True)


def test_people_are_split_whole_and_always_alike() -> None:
    """All files of a person go one way, at about the share asked for."""
    people = [drawn_footage(1, 1, identity=f"person:{number // 2}") for number in range(400)]
    learnt, held_out = split_people(people, 0.25)
    assert len(learnt) + len(held_out) == 400
    assert not {one.identity for one in learnt} & {one.identity for one in held_out}
    assert 60 <= len(held_out) <= 140
    assert 350 < sum(for_calibration(f"someone:{number}") for number in range(800)) < 450
