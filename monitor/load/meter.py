# SPDX-License-Identifier: Apache-2.0
"""Looks, loop delays and feeds of a running service in; samples of what was counted out."""

import time
from collections.abc import Callable, Sequence

from monitor.capture.feed import Feed, FeedCounts
from monitor.load.costs import units_of
from monitor.load.signs import Sample
from monitor.load.threads import ThreadClock
from monitor.values import Frame

__all__ = ["Meter"]


class Meter:
    """Counts for one process; `feeds` gives those watched now, `now` monotonic seconds."""

    def __init__(
        self,
        feeds: Callable[[], Sequence[Feed]],
        clock: ThreadClock | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feeds = feeds
        self._clock = clock or ThreadClock()
        self._now = now
        self._looks = self._picked = self._dropped = 0
        self._aged_s = self._lag_s = 0.0
        self._before: dict[Feed, FeedCounts] = {}
        self._units: dict[tuple[str, str], float] = {}

    def late(self, seconds: float) -> None:
        """Take in how late the event loop woke up."""
        self._lag_s = max(self._lag_s, seconds)

    def looked(self, frame: Frame, seconds: float) -> None:
        """Take in that a picture was judged, so long after it came."""
        self._looks += 1
        self._aged_s += seconds
        picture = frame.picture
        self._units[frame.call, frame.participant] = units_of(picture.width_px * picture.height_px)

    def sample(self) -> Sample:
        """What was counted so far; the worst delay of the loop is counted anew."""
        feeds = self._feeds()
        self._follow(feeds)
        here = {(feed.call, feed.participant) for feed in feeds}
        self._units = {name: units for name, units in self._units.items() if name in here}
        lag_s, self._lag_s = self._lag_s, 0.0
        return Sample(
            at_s=self._now(),
            spent_s=self._clock.read(),
            looks=self._looks,
            aged_s=self._aged_s,
            picked=self._picked,
            dropped=self._dropped,
            lag_s=lag_s,
            participants=len(feeds),
            units=sum(self._units.get(name, 1.0) for name in here),
        )

    def _follow(self, feeds: Sequence[Feed]) -> None:
        """Add what the feeds counted since the sample before; who has left takes none of it away."""
        counts = {feed: feed.counts for feed in feeds}
        for feed, now in counts.items():
            before = self._before.get(feed, FeedCounts())
            self._picked += now.sampled - before.sampled
            self._dropped += now.dropped - before.dropped
        self._before = counts
