# SPDX-License-Identifier: Apache-2.0
"""The flat picture that is moved about, and the head that must not be taken for it."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.liveness.signals.flatness import POINTS, flatness
from monitor.liveness.signals.frozen import FrozenFace
from monitor.liveness.signals.parallax import DEEP, ORIGIN, UNSEEN, WINDOW, YOUNG, FlatFace
from monitor.values import AttackKind, Evidence, FaceCrop
from tests.fakes.films import faces, footage
from tests.fakes.heads import BALL, rotation, seen
from tests.fakes.media import sample
from tests.fakes.timeline import crop

PER_S = 5.0
FLAT = BALL * [1.0, 1.0, 0.0]
Pose = Callable[[float], np.ndarray]


def looks(shots: Iterable[FaceCrop]) -> list[Evidence]:
    """What a new cue says of each crop."""
    cue = FlatFace()
    return [cue.look(shot) for shot in shots]


def fired(words: Iterable[Evidence]) -> list[float]:
    """Times at which the cue spoke."""
    return [word.media_s for word in words if word.reliability > 0]


def waved(second: float) -> np.ndarray:
    """A pose that turns, nods and tilts by some ten degrees."""
    return rotation(0.2 * math.sin(second), 0.15 * math.sin(0.7 * second), 0.1 * math.sin(1.3 * second))


def moved(points: np.ndarray, pose: Pose = waved, seconds: float = 20.0, per_s: float = PER_S) -> list[FaceCrop]:
    """Looks at points under a pose that changes, with a landmarker's noise of 0.2 px."""
    source = np.random.default_rng(1)
    times = np.arange(int(seconds * per_s)) / per_s
    return [seen(float(at), points + source.normal(0, 0.005, points.shape) * [1, 1, 0], pose=pose(at)) for at in times]


def test_a_photograph_that_is_moved_about_is_flat() -> None:
    """It speaks for a print or a still on a screen, alike, once enough was seen."""
    words = looks(moved(FLAT))
    assert fired(words)[0] == pytest.approx((WINDOW - 1) / PER_S)
    assert fired(words)[-1] == words[-1].media_s
    assert words[-1].kinds == {AttackKind.PRINT: 0.5, AttackKind.REPLAY: 0.5}
    assert 0 < words[-1].llr_nats <= 1.0


def test_a_head_that_turns_is_not() -> None:
    """The same poses of a round head: the nose moves against the ears."""
    words = looks(moved(BALL))
    assert fired(words) == []
    assert words[-1].sentence == DEEP


@pytest.mark.parametrize("points", [FLAT, BALL], ids=["flat", "round"])
def test_a_measure_stands_beside_the_origin_that_it_is_held_against(points: np.ndarray) -> None:
    """Whether it speaks or not, it speaks exactly where the one lies above the other."""
    for word in looks(moved(points))[WINDOW:]:
        assert word.origin == ORIGIN
        assert word.measure is not None
        assert (word.llr_nats > 0.0) is (word.measure > ORIGIN)


def test_a_head_that_only_tilts_and_speaks_is_not() -> None:
    """Tilting is what a plane does as well, but a plane does not speak."""
    chin = np.zeros_like(BALL)
    chin[[152, 148, 377, 17, 0, 13, 14], 1] = 0.2
    shots = [seen(n / PER_S, BALL + chin * math.sin(n), pose=rotation(0, 0, 0.1 * math.sin(n / 6))) for n in range(100)]
    assert fired(looks(shots)) == []


def test_a_still_head_under_an_automatic_frame_is_not() -> None:
    """Zooming and panning of the camera move everybody without parallax; only turning counts."""
    source = np.random.default_rng(2)
    shots = []
    for n in range(100):
        points = (BALL + source.normal(0, 0.005, BALL.shape)) * (1 + 0.004 * n) + [0.01 * n, 0.002 * n, 0]
        shots.append(seen(n / PER_S, points))
    assert fired(looks(shots)) == []


def test_a_still_photograph_says_nothing() -> None:
    """Noise alone turns nothing; other cues see stillness."""
    assert fired(looks(moved(FLAT, lambda _: rotation(0)))) == []


def test_until_enough_was_seen_it_says_so() -> None:
    """And nothing is measured."""
    words = looks(moved(FLAT, seconds=6.0))
    assert {(word.sentence, word.measure) for word in words} == {(YOUNG, None)}


@pytest.mark.parametrize("per_s", [2.0, 3.0, 10.0, 30.0])
def test_other_rates_change_nothing(per_s: float) -> None:
    """Few looks take longer, many are thinned."""
    seconds = max(10.0, 1.2 * WINDOW / per_s)
    assert fired(looks(moved(FLAT, seconds=seconds, per_s=per_s)))
    assert fired(looks(moved(BALL, seconds=seconds, per_s=per_s))) == []


def test_missing_landmarks_are_said() -> None:
    """They interrupt nothing that is shorter than the gap."""
    shots = moved(FLAT)
    shots[50] = crop(shots[50].media_s)
    words = looks(shots)
    assert words[50].sentence == UNSEEN
    assert words[51].reliability > 0


def test_a_gap_and_time_that_runs_back_begin_anew() -> None:
    """Another picture may have been taken up meanwhile."""
    first = moved(FLAT, seconds=6.0)
    late = [replace(shot, media_s=shot.media_s + 9) for shot in first]
    assert fired(looks([*first, *late])) == []
    assert fired(looks([*first, *first])) == []


def test_points_in_one_spot_on_a_line_or_not_numbers_have_no_flatness() -> None:
    """A landmarker that failed must not speak."""
    spot = np.full((WINDOW, len(POINTS), 2), 5.0)
    line = spot * np.linspace(0, 1, len(POINTS))[:, None]
    lost = np.where(np.arange(WINDOW)[:, None, None] == 3, np.nan, np.random.default_rng(1).normal(0, 50, spot.shape))
    assert [flatness(points) for points in (spot, line, lost)] == [None, None, None]


@given(st.lists(st.tuples(st.floats(-0.4, 1.5), st.floats(-1, 1)), max_size=120))
def test_any_order_of_looks_gives_numbers(script: list[tuple[float, float]]) -> None:
    """Gaps and returns in time in any order: finite words, bounded state."""
    cue, at = FlatFace(), 0.0
    for step_s, yaw in script:
        at += step_s
        word = cue.look(seen(at, FLAT, pose=rotation(yaw)))
        assert word.measure is None or math.isfinite(word.measure)
        assert math.isfinite(word.llr_nats)
    assert len(cue._recent) <= WINDOW


def test_it_costs_no_more_than_a_few_times_what_comparing_pictures_does() -> None:
    """The cue for frozen pictures is the measure, on the same crops."""
    shots = moved(BALL, seconds=40.0)
    flat, frozen = (min(_seconds(cue, shots) for _ in range(5)) for cue in (FlatFace, FrozenFace))
    assert flat < 10 * frozen


def _seconds(cue: type[FlatFace] | type[FrozenFace], shots: list[FaceCrop]) -> float:
    new = cue()
    start = time.thread_time()
    for shot in shots:
        new.look(shot)
    return time.thread_time() - start


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_man_on_a_long_film_is_not_flat() -> None:
    """Fifty seconds of a bona fide face that moves and speaks."""
    words = looks(faces(footage(sample("cap12"))))
    assert len(words) > 200
    assert fired(words) == []
    assert words[-1].measure is not None
