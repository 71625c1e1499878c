# SPDX-License-Identifier: Apache-2.0
"""Lines to several engine processes in; one engine, which keeps each participant at one of them, out."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import fields
from typing import Self

from monitor.processes.line import LineCounts
from monitor.processes.remote_engine import RemoteEngine
from monitor.values import NO_CONTEXT, Context, Evidence, FaceCrop, WorstLook

__all__ = ["Engines"]


class Engines:
    """Async context manager: keeps the lines, and asks for each participant at one of them.

    That is the engine with the fewest participants from here, at a tie the one that comes first from `first` on. They
    stay there, as their state does, until that engine is away: then they begin anew at another. The lines remember
    worst looks in common.
    """

    def __init__(self, lines: Sequence[RemoteEngine], first: int = 0) -> None:
        first %= len(lines)
        self._lines = (*lines[first:], *lines[:first])
        self._places: dict[tuple[str, str], RemoteEngine] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for line in self._lines:
            await self._stack.enter_async_context(line)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def crop_px(self) -> int:
        """Side of the crops that are judged, the same for every engine of one service."""
        return self._lines[0].crop_px

    @property
    def surroundings(self) -> bool:
        """Whether a cue looks at what lies round the face."""
        return self._lines[0].surroundings

    @property
    def connected(self) -> int:
        """How many engines there are."""
        return sum(line.connected for line in self._lines)

    @property
    def waiting(self) -> int:
        """Looks that wait for their answer."""
        return sum(line.waiting for line in self._lines)

    @property
    def healthy(self) -> bool:
        """Whether every engine is there and answered the last look."""
        return all(line.healthy for line in self._lines)

    @property
    def condition(self) -> str:
        """How judging goes: at the first engine where it does not go well."""
        return next((line for line in self._lines if not line.healthy), self._lines[0]).condition

    @property
    def counts(self) -> LineCounts:
        """What came of the looks sent, of all lines."""
        names = [each.name for each in fields(LineCounts)]
        return LineCounts(*(sum(getattr(line.counts, name) for line in self._lines) for name in names))

    async def judge(self, crops: Sequence[FaceCrop], context: Context = NO_CONTEXT) -> tuple[Evidence, ...]:
        """Evidence of every cue on each crop of one participant's frame; none where it did not come."""
        return await self._line(crops[0].call, crops[0].participant).judge(crops, context) if crops else ()

    def worst(self, call: str, participant: str, track: int) -> tuple[WorstLook, ...]:
        """The few looks of a track's last half minute that the network scored highest, the highest first."""
        return self._known(call, participant).worst(call, participant, track)

    def forget(self, call: str, participant: str, track: int) -> None:
        """A track has ended."""
        self._known(call, participant).forget(call, participant, track)

    def forget_participant(self, call: str, participant: str) -> None:
        """A participant has left."""
        self._known(call, participant).forget_participant(call, participant)
        self._places.pop((call, participant), None)

    def _known(self, call: str, participant: str) -> RemoteEngine:
        """Where a participant is, or any: what was worst is remembered for all lines together."""
        return self._places.get((call, participant), self._lines[0])

    def _line(self, call: str, participant: str) -> RemoteEngine:
        name = (call, participant)
        line = self._places.get(name)
        if line is None or (not line.connected and self.connected):
            self._places[name] = line = self._emptiest()
        return line

    def _emptiest(self) -> RemoteEngine:
        held = Counter(map(id, self._places.values()))
        there = [line for line in self._lines if line.connected] or self._lines
        return min(there, key=lambda line: held[id(line)])
