# SPDX-License-Identifier: Apache-2.0
"""Colours and a point that a face follows, follows late, or does not follow."""

from collections.abc import Callable, Iterable

import pytest

from monitor.liveness.challenge.script import Order
from monitor.liveness.challenge.trial import Trial
from monitor.values import ChallengeKind, ChallengeState
from tests.fakes.answers import Person, answered

SEEDS = range(5)
SCREEN = {"#ff2020": (1.0, 0.0, 0.0), "#20ff20": (0.0, 1.0, 0.0), "#2020ff": (0.0, 0.0, 1.0), None: (0.0, 0.0, 0.0)}


def delayed(show: Callable[[], object], lag_s: float) -> Callable[[float], object]:
    """What was shown `lag_s` ago; nothing before."""
    past: list[tuple[float, object]] = []

    def then(at_s: float) -> object:
        past.append((at_s, show()))
        return next((what for when, what in reversed(past) if when <= at_s - lag_s + 1e-9), None)

    return then


def lit(trial: Trial, lag_s: float, share: float, turned: int = 0) -> Callable[[float], Person]:
    """A face lit by the screen with a share of its light; `turned` takes another colour than the one shown."""
    screen = delayed(lambda: trial.shown.colour, lag_s)

    def person(at_s: float) -> Person:
        colour = SCREEN[screen(at_s)]
        colour = colour[turned:] + colour[:turned]
        return Person(light=tuple(0.2 * (1.0 + share * part) for part in colour))

    return person


def states(kind: ChallengeKind, person: Callable[[Trial], Callable[[float], Person]]) -> set[ChallengeState]:
    """Verdicts over several seeds."""
    trials: Iterable[Trial] = (Trial(Order(kind), seed) for seed in SEEDS)
    return {answered(trial, person(trial)).finding.state for trial in trials}


@pytest.mark.parametrize("lag_s", [0.2, 0.6, 1.0])
def test_a_face_lit_by_the_screen_passes(lag_s: float) -> None:
    """A few per cent of coloured light are enough, whatever the lag of a call."""
    assert states(ChallengeKind.COLOURS, lambda trial: lit(trial, lag_s, 0.04)) == {ChallengeState.PASSED}


def test_constant_light_is_inconclusive() -> None:
    """No reflection may be a bright room: nobody fails for it, and nobody passes."""
    assert states(ChallengeKind.COLOURS, lambda trial: lit(trial, 0.6, 0.0)) == {ChallengeState.INCONCLUSIVE}


def test_light_that_follows_late_fails() -> None:
    """Three seconds late is no reflection."""
    assert states(ChallengeKind.COLOURS, lambda trial: lit(trial, 3.0, 0.2)) == {ChallengeState.FAILED}


def test_the_wrong_colours_fail() -> None:
    """A film that flickers in other colours is not lit by this screen."""
    assert states(ChallengeKind.COLOURS, lambda trial: lit(trial, 0.6, 0.4, turned=1)) == {ChallengeState.FAILED}


def test_a_film_of_another_challenge_fails() -> None:
    """The colours of an earlier challenge, played again in the next one."""
    for seed in SEEDS:
        earlier = Trial(Order(ChallengeKind.COLOURS), seed + 100)
        seen: list[Person] = []
        shines = lit(earlier, 0.6, 0.4)

        def film(at_s: float, shines=shines, seen=seen) -> Person:
            seen.append(shines(at_s))
            return seen[-1]

        answered(earlier, film)
        assert earlier.finding.state is ChallengeState.PASSED
        again = answered(
            Trial(Order(ChallengeKind.COLOURS), seed), lambda at_s, seen=seen: seen[round(at_s * 5) % len(seen)]
        )
        assert again.finding.state is ChallengeState.FAILED


def looking(trial: Trial, lag_s: float) -> Callable[[float], Person]:
    """Eyes that go where the point was."""
    point = delayed(lambda: trial.shown.point, lag_s)

    def person(at_s: float) -> Person:
        x, y = point(at_s) or (0.5, 0.5)
        return Person(gaze=(0.6 * (0.5 - x), 0.6 * (0.5 - y)))

    return person


def test_eyes_that_follow_pass_and_others_fail() -> None:
    """In time, not at all, and the wrong way round."""
    assert states(ChallengeKind.FOLLOW_POINT, lambda trial: looking(trial, 0.6)) == {ChallengeState.PASSED}
    assert states(ChallengeKind.FOLLOW_POINT, lambda _: lambda _: Person()) == {ChallengeState.FAILED}

    def mirrored(trial: Trial) -> Callable[[float], Person]:
        follow = looking(trial, 0.6)
        return lambda at_s: Person(gaze=tuple(-part for part in follow(at_s).gaze))

    assert states(ChallengeKind.FOLLOW_POINT, mirrored) == {ChallengeState.FAILED}


def test_eyes_that_follow_late_fail() -> None:
    """Two and a half seconds behind the point."""
    assert states(ChallengeKind.FOLLOW_POINT, lambda trial: looking(trial, 2.5)) == {ChallengeState.FAILED}


def test_a_hand_that_covers_the_asked_eye_passes() -> None:
    """Drawn hands; the wrong eye, both eyes or none fail."""

    def covering(trial: Trial, eyes: Callable[[str], set[str]]) -> Callable[[float], Person]:
        asked = delayed(lambda: trial.shown.arrow, 0.8)

        def person(at_s: float) -> Person:
            now = asked(at_s)
            return Person(covered=frozenset(eyes(now) if now and trial.shown.arrow == now else ()))

        return person

    other = {"left eye": "right eye", "right eye": "left eye"}
    answers = {
        ChallengeState.PASSED: lambda eye: {eye},
        ChallengeState.FAILED: lambda eye: {other[eye]},
    }
    for state, eyes in answers.items():
        assert states(ChallengeKind.COVER_FACE, lambda trial, eyes=eyes: covering(trial, eyes)) == {state}
    both = states(ChallengeKind.COVER_FACE, lambda trial: covering(trial, lambda _: set(other)))
    assert both == {ChallengeState.FAILED}
    assert states(ChallengeKind.COVER_FACE, lambda _: lambda _: Person()) == {ChallengeState.FAILED}


def test_too_few_looks_are_inconclusive() -> None:
    """Two looks a second do not show whether anything is followed."""
    trial = Trial(Order(ChallengeKind.COLOURS), 1)
    person = lit(trial, 0.4, 0.1)
    answered(trial, lambda at_s: person(at_s) if round(at_s * 5) % 3 == 0 else None)
    assert trial.finding.state is ChallengeState.INCONCLUSIVE
