# SPDX-License-Identifier: Apache-2.0
"""The clock that only runs forward."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.policy.clock import LEAP_S, MediaClock


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True)))
def test_elapsed_time_never_runs_back(times):
    """Whatever the timestamps do, elapsed time grows, by at most a leap per step."""
    clock = MediaClock()
    for media_s in times:
        before_s = clock.elapsed_s
        clock.tick(media_s)
        assert before_s <= clock.elapsed_s <= before_s + LEAP_S


@pytest.mark.parametrize(("to_s", "broken"), [(5.2, False), (4.5, False), (3.0, True), (14.0, False), (3600.0, True)])
def test_only_true_breaks_are_called_breaks(to_s, broken):
    """A small step back is jitter; a long one, or a leap ahead, starts a new timeline."""
    clock = MediaClock()
    clock.tick(5.0)
    assert clock.tick(to_s) is broken
