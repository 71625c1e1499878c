# SPDX-License-Identifier: Apache-2.0
"""The face that becomes another one, and the many things that change without its doing so."""

import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.liveness.signals.change import FIRST_LOOKS, OTHER, RECENT_LOOKS, SAME, TURNED, UNSEEN, YOUNG, FaceChange
from monitor.liveness.signals.portrait import laid_over
from monitor.values import Evidence, FaceCrop, Landmarks
from tests.fakes.films import faces, footage
from tests.fakes.media import sample
from tests.fakes.timeline import crop, quality

PER_S = 5.0
SIDE = 128
Pixels = np.ndarray
Treat = Callable[[Pixels], Pixels]


def mesh(person: int) -> np.ndarray:
    """A head of random bones whose eyes, nose and mouth are where they belong."""
    source = np.random.default_rng(person)
    points = source.normal(64, 25, (478, 3)).astype(np.float32)
    points[[33, 133, 159, 145]] = (42, 50, 0)
    points[[263, 362, 386, 374]] = (86, 50, 0)
    points[[1, 61, 291]] = ((64, 72, 20), (48, 92, 0), (80, 92, 0))
    return points + source.normal(0, 1.5, (478, 3)).astype(np.float32)


def features(person: int) -> Pixels:
    """A face's light and dark."""
    cells = np.random.default_rng(100 + person).integers(60, 200, (14, 14, 3), np.uint8)
    return cv2.resize(cells, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def shots(
    seconds: float, bones: int = 1, skin: int = 1, start_s: float = 0.0, treat: Treat = lambda rgb: rgb
) -> Iterator[FaceCrop]:
    """Looks at a face with a little noise in mesh and picture."""
    source = np.random.default_rng(int(start_s) + 7)
    for index in range(int(seconds * PER_S)):
        points = mesh(bones) + source.normal(0, 0.5, (478, 3)).astype(np.float32)
        rgb = np.clip(treat(features(skin)) + source.normal(0, 3, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
        shot = crop(start_s + index / PER_S, side=SIDE)
        yield replace(shot, rgb=rgb, landmarks=Landmarks(points))


def looks(seen: Iterable[FaceCrop], cue: FaceChange | None = None) -> list[Evidence]:
    """What a cue says of each crop."""
    cue = cue or FaceChange()
    return [cue.look(shot) for shot in seen]


def fired(words: Iterable[Evidence]) -> list[float]:
    """Times at which the cue spoke."""
    return [word.media_s for word in words if word.reliability > 0]


def test_another_face_on_the_same_track_is_told():
    """Within the seconds that the newest looks span, and for as long as it lasts; the kinds sum to 1."""
    words = looks([*shots(10.0), *shots(60.0, bones=2, skin=2, start_s=10.0)])
    assert 10.0 < fired(words)[0] <= 10.0 + RECENT_LOOKS / PER_S
    assert (fired(words)[-1], words[-1].sentence) == (words[-1].media_s, OTHER)
    assert sum(words[-1].kinds.values()) == pytest.approx(1.0)


def test_the_first_face_that_comes_back_ends_it():
    """A generator that is switched off again."""
    words = looks([*shots(10.0), *shots(10.0, 2, 2, start_s=10.0), *shots(10.0, start_s=20.0)])
    assert fired(words)
    assert words[-1].sentence == SAME


def test_it_says_when_it_is_too_early():
    """Both ends of the comparison must be there."""
    words = looks(shots(10.0))
    early = [word for word in words if word.sentence == YOUNG]
    assert len(early) == FIRST_LOOKS + RECENT_LOOKS - 1
    assert all(word.measure is None for word in early)
    assert (words[-1].sentence, words[-1].reliability) == (SAME, 0.0)


def side_light(rgb: Pixels) -> Pixels:
    """A lamp to one side is switched on."""
    return np.clip(rgb * np.linspace(0.3, 1.5, SIDE)[None, :, None], 0, 255)


def glasses(rgb: Pixels) -> Pixels:
    """Dark glasses are put on."""
    worn = rgb.copy()
    worn[40:62, 25:105] = 20
    return worn


def filtered(rgb: Pixels) -> Pixels:
    """A beauty filter."""
    return cv2.bilateralFilter(rgb, 9, 60, 9)


def darkened(rgb: Pixels) -> Pixels:
    """The light is switched off."""
    return rgb * 0.08


@pytest.mark.parametrize("treat", [side_light, glasses, filtered, darkened])
def test_light_glasses_and_filters_are_not_another_face(treat: Treat):
    """Features change with them, bones do not."""
    assert fired(looks([*shots(10.0), *shots(10.0, start_s=10.0, treat=treat)])) == []


def test_neither_bones_nor_features_alone_are_another_face():
    """A mesh that slips, or a picture that changes: both are needed."""
    assert fired(looks([*shots(10.0), *shots(10.0, bones=2, start_s=10.0)])) == []
    assert fired(looks([*shots(10.0), *shots(10.0, skin=2, start_s=10.0)])) == []


def test_a_gap_does_not_make_it_forget():
    """Somebody else after a gap is told, the same face is not; the newest looks are gathered anew."""
    same = looks([*shots(10.0), *shots(10.0, start_s=15.0)])
    assert fired(same) == []
    assert same[50].sentence == YOUNG
    assert fired(looks([*shots(10.0), *shots(10.0, 2, 2, start_s=15.0)]))


def test_time_that_runs_back_begins_anew():
    """Another recording: nothing is compared with the one before."""
    cue = FaceChange()
    looks(shots(10.0, start_s=50.0), cue)
    words = looks(shots(10.0, 2, 2), cue)
    assert (words[0].sentence, fired(words)) == (YOUNG, [])


def test_looks_that_cannot_be_compared_abstain_with_their_reason():
    """Turned heads and faces without points."""
    shot = next(shots(1.0))
    turned = replace(shot, quality=replace(quality(), yaw_deg=40.0))
    unseen = replace(shot, landmarks=None)
    assert [word.sentence for word in looks([turned, unseen])] == [TURNED, UNSEEN]


def test_pictures_without_a_face_in_them_give_numbers():
    """A slide deck, black pictures, and points that fall into one."""
    flat = [replace(shot, rgb=np.zeros((SIDE, SIDE, 3), np.uint8)) for shot in shots(8.0)]
    point = [replace(shot, landmarks=Landmarks(np.ones((478, 3), np.float32))) for shot in shots(8.0)]
    for seen in (flat, point):
        words = looks(seen)
        assert all(np.isfinite(word.llr_nats) for word in words)
        assert np.isfinite(words[-1].measure or np.nan)
        assert fired(words) == []


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 100), st.integers(1, 2), st.booleans()), max_size=60))
def test_any_order_of_times_keeps_the_bounds(seen: list[tuple[float, int, bool]]):
    """Whatever comes, what is remembered is bounded and what is said is finite and modest."""
    made = {person: next(shots(1.0, person, person)) for person in (1, 2)}
    cue = FaceChange()
    for at_s, person, known in seen:
        shot = replace(made[person], media_s=at_s)
        word = cue.look(shot if known else replace(shot, landmarks=None))
        assert 0.0 <= word.llr_nats <= 1.0
        assert word.measure is None or np.isfinite(word.measure)
    assert len(cue._looks) <= RECENT_LOOKS + 1


def test_memory_and_time_do_not_grow_with_the_call():
    """Minutes later a look costs no more than at first, and the state is as large."""
    cue = FaceChange()
    seen = list(shots(20.0))
    sizes, costs = [], []
    for minute in range(6):
        begun_s = time.process_time()
        looks([replace(shot, media_s=shot.media_s + 20.0 * minute) for shot in seen], cue)
        costs.append(time.process_time() - begun_s)
        sizes.append(len(pickle.dumps(vars(cue))))
    assert sizes[-1] <= sizes[1] * 1.01
    assert min(costs[3:]) < 3 * min(costs[:3])


def test_a_turned_head_lies_on_itself():
    """Laying one over the other undoes a turn, and never by mirroring."""
    source = np.random.default_rng(2)
    points = source.normal(0, 1, (30, 3))
    points -= points.mean(axis=0)
    turn, _ = np.linalg.qr(source.normal(0, 1, (3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    assert np.allclose(laid_over(points @ turn, points), points)
    assert not np.allclose(laid_over(points * (1, 1, -1), points), points, atol=0.1)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_people_on_film_stay_themselves_and_are_told_apart():
    """Two sample films each alone are silent; the one followed by the other on one track is told."""
    one, other = ([*islice(faces(footage(sample(name))), 70)] for name in ("franck", "cap12"))
    assert min(len(one), len(other)) >= 60
    assert fired(looks(one)) == []
    assert fired(looks(other)) == []
    last_s = one[49].media_s
    after = [replace(shot, media_s=last_s + (index + 1) / PER_S) for index, shot in enumerate(other[:40])]
    assert fired(looks([*one[:50], *after]))
