# SPDX-License-Identifier: Apache-2.0
"""Faces with their surroundings, bona fide and held before the camera as a display or a print."""

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pad.recapture import filmed, printed
from models.pad.store import Origin, PadJudgement, load
from monitor.config import FacesSettings
from monitor.faces.finder import FaceFinder
from monitor.liveness.signals.replay import LEAST_READINGS, MOST_NATS, PRINT, READINGS, SCREEN, ReplayedFace
from monitor.values import AttackKind, Evidence, FaceCrop, Frame, Picture
from tests.fakes.films import footage
from tests.fakes.media import sample
from tests.fakes.timeline import crop, quality

PER_S = 5.0
WIDE = np.zeros((192, 192, 3), np.uint8)


class Told:
    """A detector that says what it is told, one reading after another, and counts them."""

    origin = Origin(1.0, 0.5, 20, 3.0)

    def __init__(self, logits: Iterable[float], replay_share: float = 0.9) -> None:
        self._logits = iter(logits)
        self._replay_share = replay_share
        self.asked = 0

    def judge(self, _wide: np.ndarray) -> PadJudgement:
        """The next reading."""
        self.asked += 1
        return PadJudgement(next(self._logits), self._replay_share)


def looks(count: int, start_s: float = 0.0) -> Iterator[FaceCrop]:
    """Looks at one face; every fifth shows the surroundings."""
    for index in range(count):
        shot = crop(start_s + index / PER_S, seen=quality(weight=0.8))
        yield replace(shot, wide=WIDE) if index % 5 == 0 else shot


def heard(detector: Told, shots: Iterable[FaceCrop]) -> list[Evidence]:
    """What a new cue says of each look."""
    cue = ReplayedFace(detector)
    return [cue.look(shot) for shot in shots]


def test_it_speaks_for_a_screen_after_three_readings_above_the_origin() -> None:
    """Softly, for the kinds that the network names, with the reliability of the look; between readings it holds."""
    words = heard(Told([1.2] * 10), looks(30))
    fired = [word.media_s for word in words if word.reliability > 0]
    assert fired[0] == pytest.approx(2.0)
    assert len(fired) == 20
    last = words[-1]
    assert last.llr_nats == pytest.approx(0.4)
    assert (last.reliability, last.sentence, last.measure) == (0.8, SCREEN, pytest.approx(1.2))
    assert last.kinds == pytest.approx({AttackKind.REPLAY: 0.9, AttackKind.PRINT: 0.1})


def test_a_print_is_named_a_print() -> None:
    """The sentence follows the network's word on the kind."""
    assert heard(Told([3.0] * 9, replay_share=0.2), looks(20))[-1].sentence == PRINT


def test_a_second_never_says_more_than_it_may() -> None:
    """However sure the network is."""
    assert max(word.llr_nats for word in heard(Told([500.0] * 9), looks(20))) == MOST_NATS


def test_below_the_origin_it_abstains_and_still_measures() -> None:
    """No screen seen is no proof of life; one picture that looks flat is no screen."""
    words = heard(Told([-3.0, -3.0, 9.0, -3.0, -3.0, -3.0, -3.0, -3.0]), looks(40))
    assert {word.reliability for word in words} == {0.0}
    assert words[-1].measure == pytest.approx(-3.0)
    assert all(word.sentence for word in words)


def test_without_surroundings_it_says_that_it_knows_nothing() -> None:
    """The network is not asked, and no measure is made up."""
    detector = Told([])
    words = heard(detector, (crop(index / PER_S) for index in range(20)))
    assert detector.asked == 0
    assert {(word.reliability, word.measure) for word in words} == {(0.0, None)}


def test_a_gap_and_a_clock_that_runs_back_begin_anew() -> None:
    """What was read before somebody was away is not held against whoever comes."""
    shots = [*looks(15), *looks(6, start_s=9.0), *looks(6, start_s=1.0)]
    words = heard(Told([9.0] * 20), shots)
    assert words[14].reliability > 0
    assert {word.reliability for word in words[15:]} == {0.0}


@given(st.lists(st.tuples(st.floats(-1.0, 5.0), st.booleans(), st.floats(-40.0, 40.0)), max_size=60))
def test_any_order_of_looks_leaves_bounded_state_and_numbers(steps: list[tuple[float, bool, float]]) -> None:
    """Whatever comes, evidence is finite and at most five readings are kept."""
    cue, media_s = ReplayedFace(Told(level for _, shown, level in steps if shown)), 0.0
    for step, shown, _ in steps:
        media_s += step
        word = cue.look(replace(crop(media_s), wide=WIDE if shown else None))
        assert math.isfinite(word.llr_nats)
        assert 0.0 <= word.llr_nats <= MOST_NATS
    assert len(cue._readings) <= READINGS


def test_a_look_without_surroundings_costs_nothing_beside_one_with_them() -> None:
    """The network is asked about once a second only: four looks in five cost a small part of the fifth."""
    cue = ReplayedFace(load())
    for shot in looks(5 * LEAST_READINGS):
        cue.look(shot)
    spent = {True: 0.0, False: 0.0}
    for shot in looks(100, start_s=3.0):
        started = time.process_time()
        cue.look(shot)
        spent[shot.wide is not None] += time.process_time() - started
    assert spent[False] / 4 < 0.2 * spent[True]


@cache
def shots(name: str, seconds: float) -> tuple[FaceCrop, ...]:
    """One judgeable look a second at the face of a sample clip, with its surroundings."""
    finder = FaceFinder(FacesSettings(), sample("face_landmarker"), "c", "p")
    early = itertools.takewhile(lambda shown: shown[0] <= seconds, footage(sample(name), 1.0))
    seen = [finder.look(Frame("c", "p", media_s, media_s, Picture(i420))) for media_s, i420 in early]
    finder.close()
    crops = (shot for look in seen for shot in look.crops[:1])
    return tuple(shot for shot in crops if shot.quality.judgeable and shot.wide is not None)


def watched(
    name: str, seconds: float, change: Callable[[np.ndarray], np.ndarray] = lambda wide: wide
) -> list[Evidence]:
    """What the shipped cue says of a sample clip whose pictures are changed."""
    cue = ReplayedFace(load())
    return [cue.look(replace(shot, wide=change(shot.wide))) for shot in shots(name, seconds)]


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["pexels_woman", "selfie_man", "cap12", "cap13", "franck"])
def test_it_is_silent_on_bona_fide_samples(name: str) -> None:
    """Webcams, a telephone and a studio, none of whose people the network learnt from."""
    words = watched(name, 12.0)
    assert words
    assert {word.reliability for word in words} == {0.0}


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_same_samples_held_before_the_camera_measure_higher() -> None:
    """Screens and prints computed from two samples lie above the clips themselves, and some of them are spoken of."""
    other = np.random.default_rng(0).integers(0, 255, (192, 192, 3)).astype(np.uint8)
    ranks, fired = [], 0
    for name in ("cap12", "franck"):
        genuine = watched(name, 5.0)[-1].measure
        for recapture, seed in itertools.product((filmed, printed), range(4)):
            words = watched(name, 5.0, lambda wide, make=recapture, n=seed: make(wide, other, np.random.default_rng(n)))
            ranks.append(words[-1].measure > genuine)
            fired += words[-1].reliability > 0
    assert np.mean(ranks) >= 0.8
    assert fired >= 4
