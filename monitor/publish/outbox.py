# SPDX-License-Identifier: Apache-2.0
"""Alerts in, the same alerts out in order, however often the process, the disk or the broker fails in between."""

import asyncio
import functools
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from monitor.errors import OutboxError, StartError
from monitor.publish.letter import Letter
from monitor.publish.store import Entry, Store

__all__ = ["Outbox", "OutboxState"]

log = structlog.get_logger()
T = TypeVar("T")
# Alerts kept in memory while the disk refuses them: about 2 MB.
_MAX_SPILLED: Final = 1_000
_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class OutboxState:
    """What waits, and what is wrong: `trouble` is None when alerts reach the disk."""

    rows: int = 0
    spilled: int = 0
    oldest_s: float | None = None
    trouble: str | None = None


class _Keeper:
    """The outbox's one thread: a store, the letters it would not take, and rows that are delivered but not deleted."""

    def __init__(self, store: Store, max_rows: int, clock: Callable[[], float]) -> None:
        self._store = store
        self._max_rows = max_rows
        self._clock = clock
        self._spilled: deque[Entry] = deque()
        self._delivered: set[int] = set()
        self._next_spilled = -1
        self._stored = 0
        self._trouble: str | None = None

    def open(self) -> None:
        try:
            self._count()
        except sqlite3.Error as error:
            self._stumble(error)
            if self._store.moved is None and self._trouble is not None:
                self._refuse_start(error)

    def _refuse_start(self, error: sqlite3.Error) -> None:
        """A full disk may pass; a locked, foreign or unreachable file will not."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
            return
        raise StartError(
            f"The outbox {self._store.path} cannot be used: {error}.",
            "Give each process its own mqtt.outbox or paths.state, in a folder it may write.",
        )

    def _count(self) -> None:
        self._stored = self._store.count()

    def _stumble(self, error: sqlite3.Error) -> None:
        """Remember what went wrong; a damaged file was moved aside, and the new one can be used at once."""
        self._trouble = str(error)
        moved, self._store.moved = self._store.moved, None
        if moved is None:
            return
        log.error("outbox_damaged", what=str(error), moved_to=str(moved), advice="Its alerts may not have been sent.")
        self._delivered.clear()
        try:
            self._count()
        except sqlite3.Error as again:
            self._trouble = str(again)
        else:
            self._trouble = None

    def add(self, letter: Letter) -> None:
        if self._stored + len(self._spilled) >= self._max_rows:
            raise OutboxError(
                f"The outbox holds {self._max_rows} alerts and is full.",
                "Bring the broker back, or raise mqtt.outbox_max_rows.",
            )
        self._unspill()
        if self._spilled or not self._write(letter, self._clock()):
            self._spill(letter)

    def _write(self, letter: Letter, at_s: float) -> bool:
        """Whether the letter is on the disk; a damaged file gets a second try in the new one."""
        for _ in range(2):
            try:
                self._store.add(letter, at_s)
            except sqlite3.Error as error:
                self._stumble(error)
                if self._trouble is not None:
                    return False
            else:
                self._stored += 1
                self._trouble = None
                return True
        return False

    def _spill(self, letter: Letter) -> None:
        if len(self._spilled) >= _MAX_SPILLED:
            raise OutboxError(
                f"The outbox cannot be written ({self._trouble}) and {_MAX_SPILLED} alerts wait in memory.",
                f"Free space on the disk of {self._store.path}.",
            )
        self._spilled.append(Entry(self._next_spilled, self._clock(), letter))
        self._next_spilled -= 1

    def _unspill(self) -> None:
        while self._spilled and self._write(self._spilled[0].letter, self._spilled[0].at_s):
            self._spilled.popleft()

    def oldest(self, limit: int, without: Collection[str]) -> list[Entry]:
        try:
            found = self._store.oldest(limit + len(self._delivered), without)
        except sqlite3.Error as error:
            self._stumble(error)
            found = []
        stored = [entry for entry in found if entry.id not in self._delivered]
        spilled = [entry for entry in self._spilled if entry.letter.topic not in without]
        return [*stored, *spilled][:limit]

    def delete(self, ids: Collection[int]) -> None:
        self._spilled = deque(entry for entry in self._spilled if entry.id not in ids)
        self._delivered.update(id_ for id_ in ids if id_ > 0)
        self._forget()

    def _forget(self) -> None:
        if not self._delivered:
            return
        try:
            self._store.delete(self._delivered)
            self._count()
        except sqlite3.Error as error:
            self._stumble(error)
        else:
            self._delivered.clear()

    def recover(self) -> None:
        try:
            self._store.probe(self._clock())
        except sqlite3.Error as error:
            self._stumble(error)
            return
        self._trouble = None
        self._unspill()
        self._forget()

    def state(self) -> OutboxState:
        waiting = self.oldest(1, ())
        rows = self._stored - len(self._delivered) + len(self._spilled)
        oldest_s = max(self._clock() - waiting[0].at_s, 0.0) if waiting else None
        return OutboxState(rows, len(self._spilled), oldest_s, self._trouble)

    def close(self) -> None:
        self._unspill()
        self._store.close()


class Outbox:
    """Keeps every alert until the broker has truly accepted it; all SQLite work is done in one thread of its own.

    When the disk refuses a letter it stays in a bounded memory buffer, `state.trouble` says why, and `tend` moves
    it to the disk as soon as that works again. `changed` is set when there may be something new to send.
    """

    def __init__(self, store: Store, max_rows: int, clock: Callable[[], float] = time.time) -> None:
        self.state = OutboxState()
        self.changed = asyncio.Event()
        self._keeper = _Keeper(store, max_rows, clock)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._troubled = asyncio.Event()

    async def _run(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()

        def step() -> T:
            try:
                return work()
            finally:
                loop.call_soon_threadsafe(self._show, self._keeper.state())

        return await loop.run_in_executor(self._thread, step)

    def _show(self, state: OutboxState) -> None:
        self.state = state
        if state.trouble is None:
            self._troubled.clear()
        else:
            self._troubled.set()

    async def open(self) -> None:
        """Open the file; raises StartError when another process uses it or it cannot be reached."""
        await self._run(self._keeper.open)

    async def add(self, letter: Letter) -> None:
        """Keep a letter; it is on the disk, or counted in `state.spilled`, when this returns. OutboxError: full."""
        await self._run(functools.partial(self._keeper.add, letter))
        self.changed.set()

    async def oldest(self, limit: int, without: Collection[str] = ()) -> list[Entry]:
        """The letters waiting longest, in order, but none of the topics in `without`."""
        return await self._run(functools.partial(self._keeper.oldest, limit, tuple(without)))

    async def delete(self, entries: Collection[Entry]) -> None:
        """These were accepted."""
        await self._run(functools.partial(self._keeper.delete, {entry.id for entry in entries}))

    async def tend(self) -> None:
        """While the disk refuses, try it again every second; runs until cancelled."""
        while True:
            await self._troubled.wait()
            await asyncio.sleep(_RETRY_S)
            await self._run(self._keeper.recover)

    async def close(self) -> None:
        """Close the file; what waits stays in it."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._keeper.close)
        self._thread.shutdown(wait=False)
