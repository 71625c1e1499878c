# SPDX-License-Identifier: Apache-2.0
"""The tempo: fewer looks at who is clear and steady, the usual ones at once when anything changes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.policy.participant import Decision
from monitor.tempo import CALM_PER_S, STEADY_S, Tempo
from monitor.values import Evidence, State, TrackVerdict, Verdict

USUAL = 5.0


def decision(
    media_s: float, state: State = State.CLEAR, tracks: tuple[int, ...] = (1,), nats: float = -0.3
) -> Decision:
    """What was said at a moment; `nats` is the word of the only cue."""
    faces = tuple(TrackVerdict(track, state, 0.1, 0.0) for track in tracks)
    said = Evidence("detector", 1, media_s, nats, 1.0, {}, "")
    return Decision(Verdict("c", "p", media_s, state, 0.1, 0.0, (), faces), evidence=(said,))


def rate(tempo: Tempo, said: Decision, *, asked: bool = False) -> float:
    """Looks a second after this was said."""
    tempo.after(said, asked=asked)
    return tempo.looks_per_s


def calm(until_s: float = 10.0) -> Tempo:
    """A tempo that has seen a clear face for so long."""
    tempo = Tempo(USUAL)
    rates = [rate(tempo, decision(step / USUAL)) for step in range(int(until_s * USUAL) + 1)]
    assert rates[-1] == CALM_PER_S
    return tempo


def test_a_clear_face_is_looked_at_less_after_a_while() -> None:
    """Not before the face has been clear, the same and unsuspected for five seconds."""
    tempo = Tempo(USUAL)
    rates = {media_s: rate(tempo, decision(media_s)) for media_s in (0.0, 1.0, 4.0, 5.8, 6.0, 7.0)}
    assert rates == {0.0: USUAL, 1.0: USUAL, 4.0: USUAL, 5.8: USUAL, 6.0: CALM_PER_S, 7.0: CALM_PER_S}


@pytest.mark.parametrize(
    "change",
    [
        {"state": State.SUSPECT},
        {"state": State.ALERT},
        {"state": State.INCONCLUSIVE},
        {"tracks": (2,)},
        {"tracks": (1, 2)},
        {"nats": 0.01},
    ],
)
def test_any_change_brings_the_usual_looks_back(change: dict[str, object]) -> None:
    """Another state, another face, one more face, or one word for an attack: at once, and for five seconds."""
    tempo = calm()
    assert rate(tempo, decision(10.5, **change)) == USUAL
    assert rate(tempo, decision(10.7)) == USUAL
    assert rate(tempo, decision(15.5)) == USUAL
    assert rate(tempo, decision(10.7 + 2 * STEADY_S)) == CALM_PER_S


def test_who_answers_a_challenge_is_watched_as_usual() -> None:
    """The answer is measured in the looks."""
    tempo = calm()
    assert rate(tempo, decision(10.5), asked=True) == USUAL
    assert rate(tempo, decision(11.0)) == USUAL


def test_time_that_runs_back_begins_anew() -> None:
    """A stream whose clock was set back is a new stream."""
    assert rate(calm(), decision(0.0)) == USUAL


def test_a_slow_participant_is_not_looked_at_more_often() -> None:
    """Where one look a second is usual, one it stays."""
    tempo = Tempo(1.0)
    assert {rate(tempo, decision(float(second))) for second in range(20)} == {1.0}


@given(st.lists(st.tuples(st.floats(-5, 5), st.sampled_from(State), st.floats(-1, 1)), max_size=60))
def test_who_is_not_clear_is_never_looked_at_less(steps: list[tuple[float, State, float]]) -> None:
    """Whatever happened before, whatever the clock does."""
    tempo, media_s = Tempo(USUAL), 100.0
    for step_s, state, nats in steps:
        media_s += step_s
        per_s = rate(tempo, decision(media_s, state, nats=nats))
        assert per_s in {USUAL, CALM_PER_S}
        assert per_s == USUAL or (state is State.CLEAR and nats <= 0.0)


def test_the_network_rests_at_two_looks_in_three_of_who_is_calm() -> None:
    """Of five looks a second two are judged, evenly, and none is left out before."""
    tempo = Tempo(USUAL)
    assert not any(tempo.rests(step / USUAL) for step in range(50))
    tempo = calm()
    judged = [media_s for step in range(100) if not tempo.rests(media_s := 10.2 + step / USUAL)]
    gaps = {round(after - before, 3) for before, after in pairwise(judged)}
    assert len(judged) == 40
    assert gaps == {0.4, 0.6}


def test_every_look_is_judged_as_soon_as_anything_changes() -> None:
    """One word against somebody is enough."""
    tempo = calm()
    rate(tempo, decision(10.5, nats=0.01))
    assert not any(tempo.rests(10.7 + step / USUAL) for step in range(20))
