# SPDX-License-Identifier: Apache-2.0
"""Timestamps that wrap."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.ticks import Ticks

HALF = 1 << 31


@given(st.integers(0, (1 << 32) - 1), st.lists(st.integers(-HALF + 1, HALF - 1), max_size=20))
def test_steps_are_kept(first: int, steps: list[int]) -> None:
    """Whatever the start, ticks move by the steps that were made, over any number of wraps."""
    ticks, at = Ticks(), first
    assert ticks.at(first) == 0
    for step in steps:
        at += step
        assert ticks.at(at % (1 << 32)) == at - first
