# SPDX-License-Identifier: Apache-2.0
"""Media time from timestamps that may do anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.clock import MediaClock


def test_follows_the_stamps() -> None:
    """Media time begins where it is told and follows the stream's own timestamps, not the arrivals."""
    clock = MediaClock()
    times = [clock.at(100.0 + step / 30, 7.0 + step / 25, first_s=0.5) for step in range(4)]
    assert times == pytest.approx([0.5, 0.5 + 1 / 30, 0.5 + 2 / 30, 0.6])
    assert clock.breaks == 0


def test_pause_is_no_break() -> None:
    """After a silence of 20 s the stamp is 20 s ahead, and so is media time."""
    clock = MediaClock()
    clock.at(0.0, 0.0)
    assert clock.at(20.0, 20.1) == 20.0
    assert clock.breaks == 0


@pytest.mark.parametrize("stamp_s", [0.0, 47_721.9, 30.0])
def test_new_time_base_advances_by_the_arrival_clock(stamp_s: float) -> None:
    """A stamp that goes back or leaps ahead is a new time base: media time advances by the time between arrivals."""
    clock = MediaClock()
    clock.at(10.0, 50.0)
    assert clock.at(stamp_s, 50.4) == pytest.approx(0.4)
    assert clock.at(stamp_s + 0.2, 50.6) == pytest.approx(0.6)
    assert clock.breaks == 1


def test_rebase_goes_on() -> None:
    """After a reconnect the next stamp says nothing about the last one."""
    clock = MediaClock()
    clock.at(5.0, 5.0)
    clock.rebase()
    assert clock.at(5.1, 8.0) == pytest.approx(3.0)


def test_rebase_before_the_first_stamp_changes_nothing() -> None:
    """The first picture of all is at the time it is told, rebased or not."""
    clock = MediaClock()
    clock.rebase()
    assert clock.at(77.0, 8.0, first_s=1.0) == 1.0


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 5))))
def test_never_goes_back(steps: list[tuple[float, float]]) -> None:
    """Whatever the stamps, media time never decreases and never outruns the arrivals by more than the tolerance."""
    clock, arrived_s, last_s = MediaClock(), 0.0, 0.0
    for stamp_s, wait_s in steps:
        arrived_s += wait_s
        media_s = clock.at(stamp_s, arrived_s)
        assert 0 <= media_s - last_s <= wait_s + 10.0 + 1e-6
        last_s = media_s
