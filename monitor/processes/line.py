# SPDX-License-Identifier: Apache-2.0
"""Looks into a ring and a bell that says so, answers out: one connection to an engine process."""

import asyncio
from dataclasses import dataclass

from monitor.liveness.judge import Look
from monitor.processes.channel import Channel
from monitor.processes.messages import Answer, Forget, Rung
from monitor.processes.parcel import pack
from monitor.processes.ring import Ring
from monitor.processes.sound import leaving

__all__ = ["Line", "LineCounts"]


@dataclass(slots=True)
class LineCounts:
    """What came of the looks sent: those without evidence, and of these the ones that newer looks had overwritten
    before the engine read them, that were late, or too large for a slot.
    """

    asked: int = 0
    unanswered: int = 0
    unanswered_in_a_row: int = 0
    overwritten: int = 0
    late: int = 0
    too_large: int = 0


class Line:
    """Asks about looks until the engine is gone; then nothing is answered any more."""

    def __init__(self, ring: Ring, channel: Channel, counts: LineCounts) -> None:
        self._ring = ring
        self._channel = channel
        self._counts = counts
        self._pending: dict[int, asyncio.Future[Answer | None]] = {}
        self._ended = False

    @property
    def waiting(self) -> int:
        """Looks that wait for their answer."""
        return len(self._pending)

    async def ask(self, look: Look, timeout_s: float) -> Answer | None:
        """What the engine says of a look; None when it did not come in time, or not at all."""
        self._counts.asked += 1
        try:
            async with asyncio.timeout(timeout_s):
                await self._channel.settle()
                return await self._put(look)
        except TimeoutError:
            self._counts.late += 1
        except ConnectionError:
            pass
        return None

    def tell(self, message: Forget) -> None:
        """Hand on what needs no answer."""
        self._channel.send(message)

    async def listen(self) -> None:
        """Take answers until the engine is gone."""
        try:
            while isinstance(answer := await self._channel.receive(), Answer):
                self._counts.overwritten += answer.torn
                self._settle(answer.sequence, answer)
        finally:
            self._ended = True
            for sequence in tuple(self._pending):
                self._settle(sequence, None)

    async def _put(self, look: Look) -> Answer | None:
        if self._ended:
            return None
        sequence = self._ring.put(pack(leaving(look)))
        if sequence is None:
            self._counts.too_large += 1
            return None
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._pending[sequence] = answer
        self._channel.send(Rung(sequence))
        try:
            return await answer
        finally:
            self._pending.pop(sequence, None)

    def _settle(self, sequence: int, answer: Answer | None) -> None:
        waiting = self._pending.pop(sequence, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
