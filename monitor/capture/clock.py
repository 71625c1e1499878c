# SPDX-License-Identifier: Apache-2.0
"""Timestamps that jump, repeat or go back in; media time that only grows out."""

import math
from typing import Final

__all__ = ["MediaClock"]

JUMP_S: Final = 10.0
"""A timestamp further ahead of the arrival clock than this is a new time base, not a late frame."""


class MediaClock:
    """Maps a stream's own timestamps to media seconds that never go back.

    RTP timestamps wrap after 13 hours, start anywhere, and start anew when a publisher restarts its
    encoder (RFC 3550, section 5.1); files joined end to end start anew as well. Across such a break
    media time advances by the time that passed between the arrivals.
    """

    def __init__(self) -> None:
        self._last_stamp_s: float | None = None
        self._last_arrived_s: float | None = None
        self.media_s = 0.0
        self.breaks = 0

    def at(self, stamp_s: float, arrived_s: float | None = None, first_s: float = 0.0) -> float:
        """Media seconds of a picture or sound stamped `stamp_s`; the first is at `first_s`.

        `arrived_s` is monotonic, None for a file, where nothing arrives.
        """
        if self._last_stamp_s is None:
            self.media_s = first_s
        else:
            self.media_s += self._advance(stamp_s - self._last_stamp_s, arrived_s)
        self._last_stamp_s, self._last_arrived_s = stamp_s, arrived_s
        return self.media_s

    def rebase(self) -> None:
        """Expect a new time base with the next picture, as after a reconnect."""
        if self._last_stamp_s is not None:
            self._last_stamp_s = math.inf

    def _advance(self, step_s: float, arrived_s: float | None) -> float:
        waited_s = 0.0
        if arrived_s is not None and self._last_arrived_s is not None:
            waited_s = max(0.0, arrived_s - self._last_arrived_s)
        if step_s >= 0 and (arrived_s is None or step_s <= waited_s + JUMP_S):
            return step_s
        self.breaks += 1
        return waited_s
