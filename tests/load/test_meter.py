# SPDX-License-Identifier: Apache-2.0
"""What a running service counts of itself."""

import numpy as np
import pytest

from monitor.capture.feed import FeedCounts
from monitor.load.costs import units_of
from monitor.load.meter import Meter
from monitor.load.threads import ThreadClock
from monitor.values import Frame, Picture
from tests.fakes.feeds import ScriptedFeed


def frame(participant: str, width_px: int = 640, height_px: int = 480) -> Frame:
    """A picture of a participant."""
    return Frame("call", participant, 1.0, 1.0, Picture(np.zeros((height_px * 3 // 2, width_px), np.uint8)))


def test_looks_lag_and_processor_time() -> None:
    """Totals grow; the worst lag is that since the sample before."""
    meter = Meter(tuple, ThreadClock(dict, lambda _: 0.0, lambda: 3.0), lambda: 7.0)
    meter.late(0.02)
    meter.late(0.3)
    meter.late(0.01)
    meter.looked(frame("ann"), 0.1)
    meter.looked(frame("ann"), 0.2)
    first, second = meter.sample(), meter.sample()
    assert (first.at_s, first.looks, first.lag_s, sum(first.spent_s.values())) == (7.0, 2, 0.3, 3.0)
    assert (second.looks, second.aged_s, second.lag_s) == (2, pytest.approx(0.3), 0.0)


def test_pictures_dropped_stay_counted_when_a_participant_leaves() -> None:
    """And one who comes again under the same name is another feed."""
    ann, bob = ScriptedFeed(participant="ann"), ScriptedFeed(participant="bob")
    feeds = [ann, bob]
    meter = Meter(lambda: tuple(feeds))
    ann.counts, bob.counts = FeedCounts(sampled=10, dropped=3), FeedCounts(sampled=5)
    assert meter.sample().dropped == 3
    feeds.remove(ann)
    feeds.append(ScriptedFeed(participant="ann"))
    feeds[-1].counts = FeedCounts(sampled=2, dropped=1)
    bob.counts = FeedCounts(sampled=9, dropped=2)
    sample = meter.sample()
    assert (sample.picked, sample.dropped) == (15 + 4 + 2, 3 + 2 + 1)


def test_participants_count_by_the_size_of_their_pictures() -> None:
    """One whose picture was not seen yet is an ordinary one; who has left does not count."""
    feeds = [ScriptedFeed(participant=who) for who in ("ann", "bob")]
    meter = Meter(lambda: tuple(feeds))
    meter.looked(frame("ann", 1280, 720), 0.1)
    sample = meter.sample()
    assert (sample.participants, sample.units) == (2, pytest.approx(1.0 + units_of(1280 * 720)))
    feeds.pop(0)
    assert meter.sample().units == 1.0
    feeds.append(ScriptedFeed(participant="ann"))
    assert meter.sample().units == 2.0
