# SPDX-License-Identifier: Apache-2.0
"""Single items of many callers in, batches out: closed by a deadline, at most one item per key in each."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from monitor.errors import LifesignError

__all__ = ["Batcher"]

Item = TypeVar("Item")
Result = TypeVar("Result")
log = structlog.get_logger()
SAY_EVERY_S = 1.0


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Result]):
    item: Item
    since_s: float
    result: "asyncio.Future[Result | None]"


@dataclass(slots=True)
class Batcher(Generic[Item, Result]):
    """Collects items until `deadline_s` after the first or until `most` are there, and runs them together.

    Items with one key keep their order, each in a batch of its own. At most `room` items are inside, further callers
    wait to be let in. A batch that fails gives None to its own callers, is counted, and is said at most once a second.
    """

    run: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]
    key: Callable[[Item], Hashable]
    deadline_s: float
    most: int
    room: int

    batches: int = 0
    items: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    cancelled: int = 0
    last_batch: int = 0
    last_wait_s: float = 0.0
    last_step_s: float = 0.0
    step_s_total: float = 0.0
    _queue: "deque[_Waiting[Item, Result]]" = field(default_factory=deque)
    _places: asyncio.Semaphore = field(init=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: bool = False
    _said_s: float = float("-inf")

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.room)

    @property
    def waiting(self) -> int:
        """Items that wait for a batch now, at most `room`."""
        return len(self._queue)

    async def submit(self, item: Item) -> Result | None:
        """Wait for the item's result; None when its batch failed or the batcher has closed."""
        async with self._places:
            if self._closed:
                return None
            loop = asyncio.get_running_loop()
            waiting = _Waiting(item, loop.time(), loop.create_future())
            self._queue.append(waiting)
            self._news.set()
            return await waiting.result

    async def serve(self) -> None:
        """Run batches until `close` is called and the queue is empty."""
        try:
            while await self._fill():
                await self._step(self._pick())
        finally:
            self._closed = True
            for waiting in self._queue:
                _answer(waiting, None)
            self._queue.clear()

    def close(self) -> None:
        """Let no more items in; `serve` returns when those inside are answered."""
        self._closed = True
        self._news.set()

    async def _fill(self) -> bool:
        """Wait until a batch is due; False when there is nothing more to do."""
        loop = asyncio.get_running_loop()
        while not self._queue:
            if self._closed:
                return False
            self._news.clear()
            await self._news.wait()
        due_s = self._queue[0].since_s + self.deadline_s
        while len(self._queue) < self.most and not self._closed and loop.time() < due_s:
            self._news.clear()
            try:
                async with asyncio.timeout_at(due_s):
                    await self._news.wait()
            except TimeoutError:
                break
        return True

    def _pick(self) -> "list[_Waiting[Item, Result]]":
        picked: dict[Hashable, _Waiting[Item, Result]] = {}
        left: deque[_Waiting[Item, Result]] = deque()
        for waiting in self._queue:
            if waiting.result.cancelled():
                self.cancelled += 1
            elif len(picked) < self.most and self.key(waiting.item) not in picked:
                picked[self.key(waiting.item)] = waiting
            else:
                left.append(waiting)
        self._queue = left
        return list(picked.values())

    async def _step(self, batch: "list[_Waiting[Item, Result]]") -> None:
        if not batch:
            return
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        self.last_wait_s = start_s - batch[0].since_s
        results: Sequence[Result | None] = [None] * len(batch)
        try:
            results = await self.run([waiting.item for waiting in batch])
            self.failures_in_a_row = 0
        except Exception as error:
            self._failed(error, len(batch))
        finally:
            self._count(len(batch), loop.time() - start_s)
            for waiting, result in zip(batch, results, strict=True):
                _answer(waiting, result)

    def _count(self, items: int, seconds: float) -> None:
        self.batches += 1
        self.items += items
        self.last_batch = items
        self.last_step_s = seconds
        self.step_s_total += seconds

    def _failed(self, error: Exception, items: int) -> None:
        self.failures += 1
        self.failures_in_a_row += 1
        now_s = asyncio.get_running_loop().time()
        if now_s - self._said_s >= SAY_EVERY_S:
            self._said_s = now_s
            code = error.code if isinstance(error, LifesignError) else "internal"
            log.error("batch_failed", items=items, failures=self.failures, code=code, error=repr(error))


def _answer(waiting: _Waiting[Item, Result], result: Result | None) -> None:
    if not waiting.result.done():
        waiting.result.set_result(result)
