# SPDX-License-Identifier: Apache-2.0
"""What a participant costs: a default at first, soon what was measured."""

import pytest

from monitor.load.costs import DECODE_CORES, LOOK_S, LOOP_CORES, Costs, Room, units_of
from monitor.load.signs import Sample
from monitor.load.threads import Work


def measured(seconds: int, participants: int, per_s: float, loop: float, decode: float, look_s: float) -> Costs:
    """Costs after so many seconds of participants who all cost the same."""
    costs, before = Costs(), Sample(0.0)
    for second in range(1, seconds + 1):
        looks = participants * per_s * second
        spent_s = {
            Work.LOOP: participants * loop * second,
            Work.DECODE: participants * decode * second,
            Work.LIVENESS: looks * look_s,
        }
        units = float(participants)
        now = Sample(float(second), spent_s, looks=int(looks), participants=participants, units=units)
        costs.step(before, now)
        before = now
    return costs


def test_before_anything_is_measured_the_default_holds() -> None:
    """Of a 480p participant, at any rate of looks."""
    cost = Costs().at(5.0)
    assert cost == (pytest.approx(LOOP_CORES + DECODE_CORES + 5.0 * LOOK_S), LOOP_CORES)


def test_what_is_measured_soon_replaces_it() -> None:
    """Twenty participants at five looks a second tell what they would cost at two."""
    cost = measured(60, 20, 5.0, 0.01, 0.02, 0.005).at(2.0)
    assert cost.cores == pytest.approx(0.01 + 0.02 + 2 * 0.005, rel=0.25)
    assert cost.loop_cores == pytest.approx(0.01, rel=0.25)


def test_one_second_of_measuring_moves_little() -> None:
    """A hiccup is no measurement: a tenth of the way towards it, and less."""
    default, after = Costs().at(2.0).cores, measured(1, 1, 5.0, 0.4, 0.4, 0.2).at(2.0).cores
    assert default < after < default + 0.15 * (1.2 - default)


def test_a_service_without_participants_keeps_the_default() -> None:
    """Nothing is learnt from nobody."""
    assert measured(3600, 0, 5.0, 0.01, 0.02, 0.005).at(2.0) == Costs().at(2.0)


def test_larger_pictures_cost_more() -> None:
    """As far as decoding goes, and 640 x 480 is the unit."""
    assert units_of(640 * 480) == 1.0
    assert 1.0 < units_of(1280 * 720) < 2.0 < units_of(1920 * 1080) < 3.0


def test_room_is_bounded_by_all_cores_and_by_the_loop() -> None:
    """Whichever is reached first."""
    cost = Costs().at(2.0)
    assert Room(0.8, 0.8).holds(cost) == pytest.approx(0.8 / cost.cores)
    assert Room(80.0, 0.8).holds(cost) == pytest.approx(0.8 / LOOP_CORES)
