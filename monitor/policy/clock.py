# SPDX-License-Identifier: Apache-2.0
"""Media times in, a clock that only runs forward out."""

from typing import Final

__all__ = ["MediaClock"]

JITTER_S: Final = 1.0
"""Media time may step back this much without meaning a new timeline: a stall's end is only estimated."""

LEAP_S: Final = 10.0
"""A longer step forward is a break in the stream, and counts as no more than this."""


class MediaClock:
    """Elapsed media time that survives timestamps going back or leaping ahead."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0
        self.media_s: float | None = None

    def tick(self, media_s: float) -> bool:
        """Move to `media_s`; returns whether the timeline broke, so that what is half collected must go."""
        delta_s = 0.0 if self.media_s is None else media_s - self.media_s
        self.media_s = media_s
        self.elapsed_s += max(0.0, min(delta_s, LEAP_S))
        return delta_s < -JITTER_S or delta_s > LEAP_S
