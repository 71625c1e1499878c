# SPDX-License-Identifier: Apache-2.0
"""RTP packets in any order in; each at most once, in order, no later than a deadline, out."""

import math
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

__all__ = ["FAR", "WIDEST_HOLE", "InOrder", "JitterBuffer"]

T = TypeVar("T")

DEADLINE_S: Final = 0.150
ASK_AGAIN_S: Final = 0.040
WIDEST_HOLE: Final = 100
"""More than this many packets missing in a row will not be sent again: senders remember about 128."""

FAR: Final = 2000
"""A sequence number further away than this is another stream's, or the same after a restart."""

HALF: Final = 0x8000
MODULUS: Final = 0x10000


class InOrder(NamedTuple, Generic[T]):
    """A packet whose turn has come; `lost` packets right before it were given up, at least as far as is known."""

    packet: T
    lost: int


@dataclass(slots=True)
class Hole:
    """One packet that is missing; times are monotonic seconds."""

    seen_s: float
    asked_s: float | None = None


class JitterBuffer(Generic[T]):
    """Reorders by sequence number (RFC 3550, wrapping at 65,536) and gives up on a hole after `deadline_s`.

    A packet that waits behind holes is handed out by the first call at or after its arrival plus the deadline, if
    the holes were not filled before. At most `FAR` packets wait. Two packets in a row that are further away than
    that start the buffer anew with the second (RFC 3550, appendix A.1); one alone is dropped, and so is what waited.
    Times are given, never read.
    """

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._next: int | None = None
        self._end = 0
        self._stray: int | None = None
        self._waiting: dict[int, T] = {}
        self._holes: dict[int, Hole] = {}
        self.late_count = 0
        self.lost_count = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def holed(self) -> bool:
        """Whether packets wait for one that is missing."""
        return bool(self._holes)

    def add(self, sequence: int, packet: T, now_s: float) -> list[InOrder[T]]:
        """Take a packet with its 16-bit sequence number; gives those whose turn has come."""
        if self._next is None:
            self._next = self._end = sequence
        if self._next == self._end and not (sequence - self._next) % MODULUS:
            self._stray = None
            self._next = self._end = self._next + 1
            return [InOrder(packet, 0)]
        ahead = (sequence - self._next + HALF) % MODULUS - HALF
        if abs(ahead) > FAR:
            return self._restarted(sequence, packet)
        self._stray = None
        at = self._next + ahead
        if ahead < 0 or at in self._waiting:
            self.late_count += 1
            return []
        self._keep(at, packet, now_s)
        return self.expire(now_s)

    def expire(self, now_s: float) -> list[InOrder[T]]:
        """Give up on holes that are too old; gives the packets that waited for them."""
        ready: list[InOrder[T]] = []
        lost = 0
        while self._next is not None and self._next < self._end:
            hole = self._holes.get(self._next)
            if hole is None:
                ready.append(InOrder(self._waiting.pop(self._next), lost))
                lost = 0
            elif now_s >= hole.seen_s + self._deadline_s:
                del self._holes[self._next]
                lost += 1
                self.lost_count += 1
            else:
                break
            self._next += 1
        return ready

    def wanted(self, now_s: float) -> list[int]:
        """Sequence numbers to ask the sender for now: those not asked for yet, or not lately; at most 100."""
        due = [at for at, hole in self._holes.items() if hole.asked_s is None or now_s >= hole.asked_s + ASK_AGAIN_S][
            :WIDEST_HOLE
        ]
        for at in due:
            self._holes[at].asked_s = now_s
        return [at % MODULUS for at in due]

    def _keep(self, at: int, packet: T, now_s: float) -> None:
        hopeless = at - self._end > WIDEST_HOLE
        seen_s = -math.inf if hopeless else now_s
        for missing in range(self._end, at):
            self._holes[missing] = Hole(seen_s)
        self._holes.pop(at, None)
        self._waiting[at] = packet
        self._end = max(self._end, at + 1)

    def _restarted(self, sequence: int, packet: T) -> list[InOrder[T]]:
        expected, self._stray = self._stray, (sequence + 1) % MODULUS
        if sequence != expected:
            self.late_count += 1
            return []
        self._waiting.clear()
        self._holes.clear()
        self._stray = None
        self._next = self._end = sequence + 1
        return [InOrder(packet, FAR)]
