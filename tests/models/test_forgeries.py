# SPDX-License-Identifier: Apache-2.0
"""Every kind of forgery changes the face, only the face, and the same way for the same seed."""

import cv2
import numpy as np
import pytest

from models.forgeries.clip import Clip
from models.forgeries.detail import match_sharpness, sharpness
from models.forgeries.harmless import harmless
from models.forgeries.mix import (
    ATTACK,
    FORGERS,
    LEAST_CHANGE,
    SELF_BLENDED,
    SHARES,
    change,
    draw_kind,
    forge,
)
from models.forgeries.warp import about, fit_similarity, thin_plate, warp
from monitor.values import AttackKind
from tests.fakes.drawn_faces import SIDE_PX, drawn_clip, resized

KINDS = sorted(FORGERS)
WHOLE = {"whole_frame", "screen", "paper"}
BLENDS = {"self_blend", "flicker", "low_resolution", "cross_identity", "mouth", "drift", "occlusion"}


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Three frames of a drawn face."""
    return drawn_clip(3, seed=1)


@pytest.fixture(scope="module")
def donor() -> Clip:
    """One frame of another drawn face."""
    return drawn_clip(1, seed=2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frames", [1, 2, 8])
def test_a_forgery_fits_its_twin(kind: str, frames: int, donor: Clip) -> None:
    """Clips of any length: shapes and ranges hold, untouched pixels are the real twin's, the change can be seen."""
    clip = drawn_clip(frames, seed=frames)
    forged = forge(kind, clip, donor, np.random.default_rng(frames))
    real = forged.twin(clip)
    assert forged.rgb.shape == real.shape == clip.rgb.shape
    assert forged.rgb.dtype == real.dtype == np.uint8
    assert forged.mask.shape == clip.rgb.shape[:3]
    assert forged.mask.dtype == np.float32
    assert forged.points(clip).shape == clip.points.shape
    assert 0.0 <= forged.mask.min() <= forged.mask.max() <= 1.0
    outside = forged.mask == 0
    assert (forged.rgb[outside] == real[outside]).all()
    assert change(clip, forged) >= LEAST_CHANGE


@pytest.mark.parametrize("kind", sorted(set(KINDS) - WHOLE - {"animated_still", "rerender"}))
@pytest.mark.parametrize("seed", range(3))
def test_changes_the_face_and_only_there(kind: str, seed: int, clip: Clip, donor: Clip) -> None:
    """The mask lies on the face, and wherever there is one, pixels differ."""
    forged = forge(kind, clip, donor, np.random.default_rng(seed))
    for frame, mask in enumerate(forged.mask):
        assert (mask == 0).mean() > 0.3
        changed = (forged.rgb[frame] != forged.twin(clip)[frame]).any(axis=2)
        assert changed.sum() > 50 or mask.max() == 0
        near = cv2.convexHull(clip.points[frame, :468].astype(np.float32))
        rows, columns = np.nonzero(mask > 0.5)
        reach = [cv2.pointPolygonTest(near, (float(x), float(y)), True) for x, y in zip(columns, rows, strict=True)]
        assert min(reach, default=0.0) > -0.15 * SIDE_PX


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side_px", [120, 210])
def test_any_side_will_do(kind: str, side_px: int) -> None:
    """Pictures of another size are forged as well, odd numbers of cells included."""
    clip, donor = (resized(drawn_clip(2, seed=seed), side_px) for seed in (1, 2))
    forged = forge(kind, clip, donor, np.random.default_rng(3))
    assert forged.rgb.shape == (2, side_px, side_px, 3)
    assert change(clip, forged) >= LEAST_CHANGE


@pytest.mark.parametrize("kind", sorted(WHOLE))
def test_a_whole_picture_has_a_whole_mask(kind: str, clip: Clip, donor: Clip) -> None:
    """Where there is no blend there is no boundary: the mask is 1 everywhere."""
    assert (forge(kind, clip, donor, np.random.default_rng(0)).mask == 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides(kind: str, clip: Clip, donor: Clip) -> None:
    """The same seed gives the same forgery, another seed another one, and the original is not touched."""
    before = clip.rgb.copy()
    first, again, other = (forge(kind, clip, donor, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert (first.rgb == again.rgb).all()
    assert (first.mask == again.mask).all()
    assert (first.rgb != other.rgb).any()
    assert (clip.rgb == before).all()


def test_self_blend_is_drawn_once_for_a_clip(donor: Clip) -> None:
    """On a still that is held, every frame of the forgery is the same."""
    still = drawn_clip(1, seed=3)
    held = Clip(np.repeat(still.rgb, 3, axis=0), np.repeat(still.points, 3, axis=0))
    forged = forge("self_blend", held, donor, np.random.default_rng(1))
    assert (forged.rgb == forged.rgb[:1]).all()
    assert (forged.mask == forged.mask[:1]).all()


def test_drift_is_drawn_anew_in_every_frame(donor: Clip) -> None:
    """On a still that is held, the organs move from frame to frame."""
    still = drawn_clip(1, seed=3)
    held = Clip(np.repeat(still.rgb, 3, axis=0), np.repeat(still.points, 3, axis=0))
    forged = forge("drift", held, donor, np.random.default_rng(1))
    assert (forged.rgb[0] != forged.rgb[1]).any()


def test_cross_identity_brings_the_donor(clip: Clip, donor: Clip) -> None:
    """Another donor gives another face."""
    other = drawn_clip(1, seed=9)
    first = forge("cross_identity", clip, donor, np.random.default_rng(4))
    second = forge("cross_identity", clip, other, np.random.default_rng(4))
    assert (first.rgb != second.rgb).any()


def test_at_least_half_of_the_blends_are_self_blended() -> None:
    """The mix that did best on face swaps; every kind is drawn, screens and paper seldom."""
    blends = {kind: share for kind, share in SHARES.items() if kind in BLENDS}
    own = sum(share for kind, share in blends.items() if kind in SELF_BLENDED)
    assert own >= 0.5 * sum(blends.values())
    assert SHARES["screen"] + SHARES["paper"] <= 0.05 * sum(SHARES.values())
    rng = np.random.default_rng(0)
    assert {draw_kind(rng) for _ in range(1500)} == set(FORGERS) == set(SHARES)


def test_every_kind_stands_for_an_attack_of_the_verdict() -> None:
    """The names are those that a verdict uses."""
    assert set(ATTACK) == set(FORGERS)
    assert set(ATTACK.values()) <= {kind.value for kind in AttackKind}


@pytest.mark.parametrize("seed", range(6))
def test_harmless_treatment_is_visible_and_reproducible(seed: int, clip: Clip) -> None:
    """It changes the picture, and the same seed gives the same change."""
    treated = harmless(clip, np.random.default_rng(seed))
    again = harmless(clip, np.random.default_rng(seed))
    assert treated.shape == clip.rgb.shape
    assert (treated == again).all()
    assert (treated != clip.rgb).any()


def test_sharpness_can_be_matched(clip: Clip) -> None:
    """The blur that is found makes the picture as blurred as the other one, within a tenth; never sharper."""
    sharp = clip.rgb[0]
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 1.1), np.uint8)
    blur_px = match_sharpness(sharp, soft)
    matched = np.asarray(cv2.GaussianBlur(sharp, (0, 0), blur_px), np.uint8)
    assert sharpness(matched) == pytest.approx(sharpness(soft), rel=0.1)
    assert match_sharpness(soft, sharp) == 0.0


def test_a_fitted_similarity_carries_points_over() -> None:
    """A known turn, scale and shift is found again."""
    random = np.random.default_rng(0)
    points = random.uniform(20, 140, (12, 2)).astype(np.float32)
    matrix = about(np.array([84, 84], np.float32), 12.0, 1.3, (4.0, -7.0))
    moved = (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    assert fit_similarity(points, moved) == pytest.approx(matrix, abs=1e-3)


def test_thin_plate_moves_points_where_they_belong() -> None:
    """A spot drawn at a source point is found at its target; with nothing to move the picture stays."""
    random = np.random.default_rng(1)
    source = random.uniform(30, 138, (20, 2)).astype(np.float32)
    target = source + random.normal(0, 4, source.shape).astype(np.float32)
    picture = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    x, y = source[7]
    cv2.circle(picture, (round(float(x)), round(float(y))), 3, (255, 255, 255), -1)
    rows, columns = np.nonzero(thin_plate(picture, source, target)[:, :, 0] > 100)
    assert np.hypot(columns.mean() - target[7, 0], rows.mean() - target[7, 1]) < 2.0
    textured = drawn_clip(1).rgb[0]
    assert np.abs(thin_plate(textured, source, source).astype(int) - textured).mean() < 3.0


def test_identity_warp_changes_nothing(clip: Clip) -> None:
    """No turn, no scale, no shift: the same picture."""
    assert (warp(clip.rgb[0], about(np.array([84, 84], np.float32), 0.0, 1.0, (0.0, 0.0))) == clip.rgb[0]).all()
