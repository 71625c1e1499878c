# SPDX-License-Identifier: Apache-2.0
"""Ways of looking: scripted films, of which the network's two opinions differ, played as calls."""

from dataclasses import replace

import pytest

from monitor.rates.rest import ATTACK_S
from monitor.rates.ways import WAYS, Film, Judged, Way, play
from monitor.values import FaceLook, State
from tests.fakes.timeline import crop, evidence

CALM_S = 40.0
EVERY, BETWEEN, RESTING, ADAPTIVE, CLOSE, CLOSE_JOINED, ALWAYS, ALWAYS_JOINED = WAYS


def film(nats: float, *, joined_nats: float | None = None, odd_nats: float | None = None) -> Film:
    """Two seconds in which two states say `nats`, in looks between `odd_nats`, and one state `joined_nats`."""
    told = [(step, nats if odd_nats is None or step % 2 == 0 else odd_nats) for step in range(20)]
    joined = nats if joined_nats is None else joined_nats
    return [Judged(FaceLook(0.0, (crop(0.0, side=1),)), evidence(0.0, joined), evidence(0.0, said)) for _, said in told]


CALM, ATTACK = film(-0.4), film(2.0)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.title)
def test_every_way_finds_an_attack_that_no_look_doubts(way: Way) -> None:
    """And raises nothing before."""
    outcome = play(CALM, ATTACK, way, CALM_S)
    assert outcome.false_alerts == 0
    assert outcome.delay_s is not None
    assert 3.0 < outcome.delay_s < 20.0


def test_five_looks_a_second_are_usual_and_ten_the_most() -> None:
    """Of all ways of looking only these two have a fixed number."""
    seconds = CALM_S + ATTACK_S
    counts = [(found.looks, found.judged) for found in (play(CALM, ATTACK, way, CALM_S) for way in (EVERY, ALWAYS))]
    assert counts == [(5 * seconds, 5 * seconds), (10 * seconds, 10 * seconds)]


def test_at_the_calm_the_network_rests_or_whole_looks_are_left_out() -> None:
    """The network judges as many in both, and looks that nobody sees are not counted."""
    resting, adaptive = (play(CALM, ATTACK, way, CALM_S) for way in (RESTING, ADAPTIVE))
    assert resting.calm_looks == 5 * CALM_S
    assert adaptive.calm_looks == adaptive.calm_judged == resting.calm_judged < 0.8 * resting.calm_looks
    assert adaptive.delay_s == resting.delay_s


def test_the_new_and_the_suspect_get_ten_looks_and_the_clear_do_not() -> None:
    """Until the first is clear there are ten, then five of which the network judges two, and ten when doubt begins."""
    close, resting = (play(CALM, ATTACK, way, CALM_S) for way in (CLOSE, RESTING))
    assert resting.calm_looks < close.calm_looks < 2 * resting.calm_looks
    assert close.looks - close.calm_looks > resting.looks - resting.calm_looks
    suspect = play(CALM, ATTACK, replace(CLOSE, close=frozenset({State.SUSPECT})), CALM_S)
    assert suspect.calm_looks == resting.calm_looks


def test_looks_between_the_usual_ones_count_only_where_somebody_looks() -> None:
    """An attack that shows in every other look alone."""
    attack = film(-0.4, odd_nats=2.0)
    assert play(CALM, attack, EVERY, CALM_S).delay_s is None
    assert play(CALM, attack, BETWEEN, CALM_S).delay_s is not None
    assert play(CALM, attack, ALWAYS, CALM_S).delay_s is not None


def test_one_state_is_asked_only_where_looks_are_close() -> None:
    """Where five looks are usual it would not be the one that was trained for them."""
    attack = film(-0.4, joined_nats=2.0)
    found = [play(CALM, attack, way, CALM_S).delay_s for way in (EVERY, ALWAYS, CLOSE_JOINED, ALWAYS_JOINED)]
    assert [delay_s is not None for delay_s in found] == [False, False, False, True]
    assert play(attack, attack, CLOSE_JOINED, 0.0).delay_s is not None


def test_an_attack_with_the_call_has_nothing_before_it() -> None:
    """Delays are from the first look."""
    outcome = play(CALM, ATTACK, EVERY, 0.0)
    assert (outcome.calm_looks, outcome.looks) == (0, 5 * ATTACK_S)
    assert outcome.delay_s is not None


def test_a_look_without_a_face_or_a_word_is_a_look() -> None:
    """Nothing is judged, and nobody is clear."""
    nobody = [Judged(FaceLook(0.0))] * 20
    outcome = play(nobody, nobody, CLOSE, CALM_S)
    assert (outcome.judged, outcome.looks, outcome.delay_s) == (0, 10 * (CALM_S + ATTACK_S), None)
