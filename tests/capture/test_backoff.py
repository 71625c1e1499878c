# SPDX-License-Identifier: Apache-2.0
"""How long to wait before the next try."""

import random

import pytest

from monitor.capture.backoff import Backoff


def test_grows_and_stays_below_the_ceiling() -> None:
    """Waits double up to the maximum, each within the upper half of its interval."""
    backoff = Backoff(0.5, 8.0, random.Random(1))
    waits = [backoff.wait_s() for _ in range(8)]
    for wait_s, ceiling_s in zip(waits, [0.5, 1, 2, 4, 8, 8, 8, 8], strict=True):
        assert ceiling_s / 2 <= wait_s <= ceiling_s
    assert len(set(waits)) == 8


def test_only_steady_media_resets_it() -> None:
    """A server that accepts and drops at once is waited for ever longer; ten seconds of media forgive."""
    backoff = Backoff(1.0, 60.0, random.Random(1))
    for _ in range(4):
        backoff.wait_s()
        backoff.flowed(0.5)
    assert backoff.failures == 4
    backoff.flowed(10.0)
    assert backoff.wait_s() <= 1.0


def test_servers_wish_counts_up_to_the_ceiling() -> None:
    """Retry-After lengthens a wait, never beyond the configured maximum."""
    assert Backoff(0.5, 30.0).wait_s(at_least_s=7.0) == 7.0
    assert Backoff(0.5, 30.0).wait_s(at_least_s=3600.0) == pytest.approx(30.0)


def test_endless_failure_does_not_overflow() -> None:
    """The thousandth wait is like the tenth."""
    backoff = Backoff(0.5, 30.0)
    assert all(backoff.wait_s() <= 30.0 for _ in range(2000))
