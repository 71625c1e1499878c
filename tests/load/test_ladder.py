# SPDX-License-Identifier: Apache-2.0
"""The ladder: down soon, up late, never to and fro."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.load.ladder import MOST_PATIENCE, Ladder, rates

DOWN_S, UP_S = 2.0, 30.0
loads = st.lists(st.floats(0.0, 3.0), max_size=300)


def ladder() -> Ladder:
    """Ten looks a second are usual."""
    return Ladder(rates(10.0, 2.0), DOWN_S, UP_S)


def play(steps: Ladder, script: list[float], start_s: float = 0.0) -> list[int]:
    """The rung after each second of loads."""
    rungs = []
    for second, load in enumerate(script):
        before = steps.rung
        assert steps.step(start_s + second, load) == (steps.rung != before)
        rungs.append(steps.rung)
    return rungs


@pytest.mark.parametrize(
    ("usual", "expected"),
    [
        (10.0, (10.0, 7.5, 5.0, 2.0)),
        (5.0, (5.0, 3.75, 2.5, 2.0)),
        (3.0, (3.0, 2.25, 2.0)),
        (2.0, (2.0,)),
        (1.0, (1.0,)),
    ],
)
def test_the_rates_of_the_rungs(usual: float, expected: tuple[float, ...]) -> None:
    """Fewer and fewer looks, never fewer than the least, never more than usual."""
    assert rates(usual, 2.0) == expected


def test_overload_steps_down_to_the_fewest_looks_and_then_refuses() -> None:
    """A rung every two seconds."""
    steps = ladder()
    assert play(steps, [1.5] * 8) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert (steps.most_per_s, steps.refusing) == (2.0, False)
    assert play(steps, [1.5] * 10, 8.0)[-1] == 4
    assert (steps.most_per_s, steps.refusing) == (2.0, True)


def test_recovery_takes_patience() -> None:
    """Half a minute of room for each rung."""
    steps = ladder()
    play(steps, [1.5] * 20)
    rungs = play(steps, [0.1] * 200, 20.0)
    assert [second for second, (a, b) in enumerate(pairwise([4, *rungs])) if a != b] == [30, 61, 92, 123]


def test_a_step_up_that_would_not_last_is_not_taken() -> None:
    """At two looks a second with half of the load used, five would be too many."""
    steps = ladder()
    play(steps, [1.5] * 8)
    assert set(play(steps, [0.5] * 600, 8.0)) == {3}


def test_a_step_up_that_fails_makes_the_next_one_wait_longer() -> None:
    """Something that no load foretells, such as a full pool of threads, brings ever rarer attempts."""
    steps, rises, at_s = ladder(), [], 0.0
    while at_s < 7200.0:
        before = steps.rung
        steps.step(at_s, 2.0 if steps.rung == 0 else 0.0)
        rises += [at_s] if steps.rung < before else []
        at_s += 1.0
    waits = [b - a for a, b in pairwise(rises)]
    assert waits[0] >= 2 * UP_S
    assert waits == sorted(waits)
    assert MOST_PATIENCE * UP_S <= waits[-1] <= MOST_PATIENCE * UP_S + 10.0


def test_short_spikes_change_nothing() -> None:
    """A second of overload, every other second, is noise."""
    assert set(play(ladder(), [5.0, 0.2] * 100)) == {0}


@given(loads)
def test_never_to_and_fro(script: list[float]) -> None:
    """Whatever the load does: one rung at a time, down no sooner than after two seconds, up than after thirty."""
    changes = [(second, b - a) for second, (a, b) in enumerate(pairwise([0, *play(ladder(), script)])) if a != b]
    assert all(abs(move) == 1 for _, move in changes)
    for (before_s, _), (after_s, move) in pairwise(changes):
        assert after_s - before_s >= (DOWN_S if move > 0 else UP_S)


@given(st.floats(0.0, 3.0), st.floats(0.0, 0.6))
def test_a_steady_demand_finds_its_rung(fixed: float, per_look: float) -> None:
    """Load that follows from the looks steps down as far as it must, and never up again and down again."""
    steps = ladder()
    rungs = []
    for second in range(400):
        steps.step(float(second), fixed + per_look * steps.most_per_s)
        rungs.append(steps.rung)
    assert rungs == sorted(rungs)
    assert steps.refusing or fixed + per_look * steps.most_per_s <= 1.0
