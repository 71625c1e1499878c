# SPDX-License-Identifier: Apache-2.0
"""Timestamps of browsers and of programs."""

from itertools import accumulate

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.stamps import StampCounts
from monitor.values import Stamps


def counted(steps: list[int]) -> Stamps:
    """What is counted of a stream with these steps."""
    counts = StampCounts()
    for stamp in accumulate(steps, initial=4_000_000_000):
        counts.see(stamp)
    return counts.take()


def test_a_film_keeps_its_beat():
    """24, 29.97, 30 and 60 pictures a second are no whole number of milliseconds apart."""
    for step in (3750, 3003, 3000, 1500):
        assert counted([step] * 100) == Stamps(100, 99)


def test_rounding_and_pictures_left_out_do_not_break_the_beat():
    """A sender that is behind leaves pictures out, and rounds."""
    steps = [9009, 3003, 6006, 3002, 6007, 9008, 3004, 12012] * 10
    assert counted(steps).even >= 76


def test_whole_milliseconds_are_never_even():
    """A browser stamps in milliseconds: 33, 33, 34; so do films of 25 and 50 pictures a second, which go unnoticed."""
    assert counted([2970, 2970, 3060] * 40).even == 0
    assert counted([3600] * 100).even == 0
    assert counted([1800] * 100).even == 0


def test_a_camera_with_a_fine_clock_keeps_no_beat():
    """Programs that pass on a camera's own times, not rounded to milliseconds, waver by more than a tick or two."""
    source = np.random.default_rng(3)
    steps = [int(step) for step in source.normal(3000, 40, 2000)]
    assert counted(steps).even < 200


def test_variable_rates_keep_no_beat():
    """From 2 to 30 pictures a second, at random."""
    source = np.random.default_rng(4)
    assert counted([int(90_000 / rate) for rate in source.uniform(2, 30, 1000)]).even < 100


def test_a_step_back_or_none_is_no_step():
    """Timestamps that repeat, wrap or start anew are passed over."""
    counts = StampCounts()
    for stamp in (0, 3003, 3003, 6006, 90, 3093, 6096):
        counts.see(stamp)
    assert counts.take() == Stamps(4, 1)
    assert counts.take() == Stamps(0, 0)


def test_a_reconnect_is_no_step():
    """After `rebase` the next picture begins a new count of steps."""
    counts = StampCounts()
    counts.see(0)
    counts.rebase()
    counts.see(10**9)
    assert counts.take() == Stamps(0, 0)


@given(st.lists(st.integers(-(2**33), 2**33), max_size=60))
def test_any_stamps_are_counted(stamps: list[int]):
    """Never more even steps than steps, nor more steps than pictures."""
    counts = StampCounts()
    for stamp in stamps:
        counts.see(stamp)
    taken = counts.take()
    assert 0 <= taken.even <= taken.steps <= max(len(stamps) - 1, 0)


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=100))
def test_no_browser_is_ever_even(steps_ms: list[int]):
    """Whatever a camera does, whole milliseconds are never called even."""
    assert counted([90 * step for step in steps_ms]).even == 0
