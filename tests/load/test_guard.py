# SPDX-License-Identifier: Apache-2.0
"""A service on a machine of which too much is asked, in virtual time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from monitor.load.signs import Sign
from tests.fakes.machine import FakeMachine


def test_a_machine_that_keeps_up_is_left_alone() -> None:
    """Four participants at ten looks a second on four cores."""
    machine = FakeMachine(4.0)
    guard = machine.guard()
    machine.participants = 4
    assert set(machine.run(guard, 120)) == {0}
    assert guard.refusal(4) is None
    assert guard.signs[Sign.PROCESSOR] == pytest.approx(machine.demand(10.0) / 3.2)


def test_overload_thins_looks_until_it_is_none() -> None:
    """Four participants on two cores: one step down is too few, two are enough, and nothing moves after that."""
    machine = FakeMachine()
    guard = machine.guard()
    machine.participants = 4
    assert machine.run(guard, 60)[-1] == 2
    assert guard.most_per_s == 5.0
    assert guard.load <= 1.0
    assert machine.demand(5.0) <= 1.6 < machine.demand(7.5)
    assert set(machine.run(guard, 3600)) == {2}


def test_looks_come_back_when_participants_leave() -> None:
    """Late, rung by rung, and all of them."""
    machine = FakeMachine()
    guard = machine.guard()
    machine.participants = 6
    assert machine.run(guard, 60)[-1] == 3
    machine.participants = 1
    rungs = machine.run(guard, 120)
    assert rungs == sorted(rungs, reverse=True)
    assert (rungs[28], rungs[-1]) == (3, 0)


def test_what_is_no_load_does_not_count() -> None:
    """A loop that is late for a second now and then."""
    machine = FakeMachine()
    guard = machine.guard()
    for second in range(200):
        machine.noise_s = 0.4 if second % 5 == 0 else 0.01
        assert machine.run(guard, 1) == [0]


def test_other_programs_show_as_dropped_looks() -> None:
    """Their processor time is not ours to count, but what they leave is too little."""
    machine = FakeMachine()
    guard = machine.guard()
    machine.participants, machine.others = 2, 1.5
    machine.run(guard, 30)
    assert guard.rung > 0
    assert guard.signs[Sign.PROCESSOR] < 1.0


def test_a_burst_of_joins_shares_no_place() -> None:
    """Fifty offers inside one second: as many as fit at the fewest looks are taken in, before anything is measured."""
    machine = FakeMachine()
    guard = machine.guard()
    machine.run(guard, 5)
    taken = 0
    for _ in range(50):
        taken += guard.refusal(taken) is None
    machine.participants = taken
    assert 1.6 - 0.5 < machine.demand(2.0) <= 1.6
    machine.run(guard, 60)
    assert (guard.most_per_s, guard.places(taken)) == (2.0, 0)
    assert guard.refusal(taken) is not None


def test_places_follow_what_participants_really_cost() -> None:
    """A machine on which they cost a third takes in three times as many."""
    machine = FakeMachine(loop=0.04 / 3, decode=0.02, look_s=0.02)
    guard = machine.guard()
    first = guard.places(0)
    machine.participants = 6
    machine.run(guard, 120)
    assert 6 + guard.places(6) > 2 * first


def test_one_core_takes_a_few_in_and_refuses_the_next() -> None:
    """No division by what is not there."""
    machine = FakeMachine(1.0)
    guard = machine.guard(5.0)
    while guard.refusal(machine.participants) is None:
        machine.participants += 1
        machine.run(guard, 30)
    assert 2 <= machine.participants <= 4
    assert guard.load <= 1.0
    assert guard.words(machine.participants).endswith("up to 2.5 looks a second each, room for 0 more")


def test_the_loop_is_one_thread_however_many_cores_there_are() -> None:
    """Sixty-four cores do not hold more participants than one event loop can serve."""
    machine = FakeMachine(64.0)
    guard = machine.guard()
    machine.participants = 15
    machine.run(guard, 60)
    assert 18 <= 15 + guard.places(15) <= 0.8 / 0.04


def test_a_machine_that_is_overloaded_at_the_fewest_looks_refuses() -> None:
    """Whatever the bill says, until there has been room for a while."""
    machine = FakeMachine()
    guard = machine.guard()
    machine.participants, machine.others = 2, 1.9
    machine.run(guard, 30)
    assert "overloaded" in (guard.refusal(2) or "")
    machine.others = 0.0
    machine.run(guard, 20)
    assert guard.refusal(2) is not None
    machine.run(guard, 20)
    assert guard.refusal(2) is None


def test_an_empty_service_has_nothing_to_spare() -> None:
    """When the last participant has left, the next one is taken in at once and has all looks."""
    machine = FakeMachine()
    guard = machine.guard()
    machine.participants, machine.others = 2, 1.9
    machine.run(guard, 30)
    assert (guard.places(2), guard.refusal(2) is None) == (0, False)
    machine.participants = 0
    assert machine.run(guard, 1) == [0]
    assert guard.refusal(0) is None


@given(st.lists(st.tuples(st.integers(0, 12), st.floats(0.0, 2.0), st.floats(0.0, 0.3)), max_size=60))
def test_whatever_happens_looks_stay_in_bounds_and_room_is_told_alike(script: list[tuple[int, float, float]]) -> None:
    """Participants come and go, other programs too, the loop is late: between two looks and all of them."""
    machine = FakeMachine()
    guard = machine.guard()
    for machine.participants, machine.others, machine.noise_s in script:
        machine.run(guard, 2)
        assert 2.0 <= guard.most_per_s <= 10.0
        assert guard.most_per_s == 10.0 or machine.participants
        assert (guard.refusal(machine.participants) is None) == (guard.places(machine.participants) > 0)
        assert guard.places(machine.participants + 1) <= guard.places(machine.participants)


def test_switched_off_it_measures_and_does_nothing() -> None:
    """All looks, and nobody is refused."""
    machine = FakeMachine(1.0)
    guard = machine.guard(enabled=False)
    machine.participants = 30
    assert set(machine.run(guard, 60)) == {0}
    assert guard.load > 1.0
    assert guard.refusal(30) is None


def test_each_change_is_said_once() -> None:
    """With what it rests on."""
    machine = FakeMachine()
    guard = machine.guard()
    with capture_logs() as said:
        machine.participants = 4
        machine.run(guard, 60)
        machine.participants = 1
        machine.run(guard, 100)
    assert [line["event"] for line in said] == ["looks_thinned"] * 2 + ["looks_restored"] * 2
    assert {name: said[0][name] for name in ("samples_per_s", "refusing", "load", "sign")} == {
        "samples_per_s": 7.5,
        "refusing": False,
        "load": 1.25,
        "sign": "processor",
    }
