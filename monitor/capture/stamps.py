# SPDX-License-Identifier: Apache-2.0
"""RTP timestamps of all pictures of a stream in, how many of them keep a beat out."""

from typing import Final

from monitor.values import Stamps

__all__ = ["StampCounts"]

TICKS_PER_MS: Final = 90
"""Video has a clock of 90 kHz whatever the codec (RFC 3551, section 5; RFC 7741 for VP8, RFC 6184 for H.264)."""

ROUNDED_TICKS: Final = 1
"""Senders round times to ticks, so that a beat wavers by this."""

MOST_BEATS: Final = 10
"""A sender that cannot keep up leaves pictures out; after more than this the beat is not looked for."""


class StampCounts:
    """Counts steps from one timestamp to the next; holds two numbers of the stream and the counts since `take`."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._beat = 0
        self._steps = self._even = 0

    def see(self, stamp: int) -> None:
        """Take in the timestamp, in ticks, of the next picture; a step back or none is no step."""
        step = 0 if self._last is None else stamp - self._last
        self._last = stamp
        if step <= 0:
            self._beat = 0
            return
        kept = _keeps(step, self._beat) or _keeps(self._beat, step)
        self._beat = min(self._beat, step) if kept else step
        self._steps += 1
        self._even += kept and not _whole_ms(self._beat)

    def rebase(self) -> None:
        """Expect a new time base with the next picture."""
        self._last, self._beat = None, 0

    def take(self) -> Stamps:
        """Give the counts since the last time, and begin to count anew."""
        counted = Stamps(self._steps, self._even)
        self._steps = self._even = 0
        return counted


def _keeps(step: int, beat: int) -> bool:
    """Whether a step is one beat, or a few when pictures were left out."""
    if not beat:
        return False
    beats = round(step / beat)
    return 1 <= beats <= MOST_BEATS and abs(step - beats * beat) <= ROUNDED_TICKS * (1 + beats)


def _whole_ms(ticks: int) -> bool:
    return min(ticks % TICKS_PER_MS, -ticks % TICKS_PER_MS) <= ROUNDED_TICKS
