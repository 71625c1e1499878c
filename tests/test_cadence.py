# SPDX-License-Identifier: Apache-2.0
"""When a verdict is news."""

from dataclasses import replace

from monitor.cadence import EVERY_S, due
from monitor.values import Reason, State, Verdict

SAID = Verdict("call", "ann", 10.0, State.CLEAR, 0.1, 5.0, (), ())


def test_the_first_verdict_is_news() -> None:
    """Nothing was said yet, so the first verdict is said."""
    assert due(None, SAID)


def test_another_state_is_news_at_once() -> None:
    """A change of state does not wait for the second to pass."""
    assert due(SAID, replace(SAID, media_s=10.01, state=State.SUSPECT))


def test_another_reason_is_news_at_once() -> None:
    """A change of reasons does not wait either."""
    assert due(SAID, replace(SAID, media_s=10.01, reasons=(Reason.STALLED,)))


def test_the_same_again_waits_for_its_second() -> None:
    """An unchanged verdict is held back until a second of media time has passed, then said."""
    assert not due(SAID, replace(SAID, media_s=10.0 + EVERY_S - 0.01, score=0.3))
    assert due(SAID, replace(SAID, media_s=10.0 + EVERY_S))


def test_time_that_jumps_back_is_news() -> None:
    """After a new time base the verdict is not silenced until the old time comes round again."""
    assert due(SAID, replace(SAID, media_s=2.0))
