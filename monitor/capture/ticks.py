# SPDX-License-Identifier: Apache-2.0
"""RTP timestamps that wrap in; ticks since the first one out."""

from typing import Final

__all__ = ["VIDEO_HZ", "Ticks"]

VIDEO_HZ: Final = 90_000
"""Clock of every video payload."""

HALF: Final = 1 << 31
MODULUS: Final = 1 << 32


class Ticks:
    """Unwraps 32-bit timestamps (RFC 3550, section 5.1); a step of less than half the range back goes back."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._ticks = 0

    def at(self, stamp: int) -> int:
        """Ticks of a timestamp; negative before the first."""
        if self._last is not None:
            self._ticks += (stamp - self._last + HALF) % MODULUS - HALF
        self._last = stamp
        return self._ticks
