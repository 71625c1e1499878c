# SPDX-License-Identifier: Apache-2.0
"""Batches closed by a deadline."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from monitor.liveness.batcher import Batcher

Item = tuple[str, int]


class Runner:
    """Answers each item with itself; `hold` keeps batches inside, `broken` items fail theirs."""

    def __init__(self) -> None:
        self.batches: list[list[Item]] = []
        self.begun = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()
        self.broken: set[Item] = set()

    async def __call__(self, items: Sequence[Item]) -> Sequence[Item]:
        """Note the batch, wait while held, then answer or fail."""
        self.batches.append(list(items))
        self.begun.set()
        await self.hold.wait()
        if self.broken & set(items):
            raise RuntimeError("no")
        return items


@asynccontextmanager
async def serving(runner: Runner, *, deadline_s=0.005, most=8, room=32) -> AsyncIterator[Batcher[Item, Item]]:
    """A batcher at work."""
    batcher = Batcher(run=runner, key=lambda item: item[0], deadline_s=deadline_s, most=most, room=room)
    async with asyncio.TaskGroup() as group:
        group.create_task(batcher.serve(), name="batches")
        yield batcher
        batcher.close()


async def test_items_of_many_callers_share_a_batch():
    """What comes within the deadline is run together, and each caller gets its own result."""
    runner = Runner()
    async with serving(runner) as batcher:
        results = await asyncio.gather(*(batcher.submit((name, 0)) for name in "abc"))
    assert results == [("a", 0), ("b", 0), ("c", 0)]
    assert runner.batches == [[("a", 0), ("b", 0), ("c", 0)]]
    assert (batcher.batches, batcher.items, batcher.last_batch, batcher.waiting) == (1, 3, 3, 0)


async def test_a_full_batch_does_not_wait():
    """With as many items as fit, the deadline is not waited for."""
    runner = Runner()
    async with serving(runner, deadline_s=3600.0, most=2) as batcher:
        await asyncio.gather(*(batcher.submit((name, 0)) for name in "abcd"))
    assert [len(batch) for batch in runner.batches] == [2, 2]


async def test_items_of_one_key_keep_their_order_in_batches_of_their_own():
    """A batch holds at most one item per key: the next one needs the state the first leaves."""
    runner = Runner()
    async with serving(runner) as batcher:
        await asyncio.gather(*(batcher.submit(("a", index)) for index in range(4)), batcher.submit(("b", 0)))
    assert runner.batches == [[("a", 0), ("b", 0)], [("a", 1)], [("a", 2)], [("a", 3)]]


async def test_a_failing_batch_fails_alone():
    """Its callers get None, the next batch works, and the failure is counted."""
    runner = Runner()
    runner.broken = {("bad", 0)}
    async with serving(runner) as batcher:
        with capture_logs() as said:
            assert await asyncio.gather(batcher.submit(("bad", 0)), batcher.submit(("near", 0))) == [None, None]
            assert batcher.failures_in_a_row == 1
            assert await batcher.submit(("far", 0)) == ("far", 0)
    assert (batcher.failures, batcher.failures_in_a_row) == (1, 0)
    assert [line["event"] for line in said] == ["batch_failed"]


async def test_failures_are_said_at_most_once_a_second():
    """A broken device does not fill the log."""
    runner = Runner()
    runner.broken = {("bad", index) for index in range(20)}
    async with serving(runner, deadline_s=0.0) as batcher:
        with capture_logs() as said:
            for index in range(20):
                await batcher.submit(("bad", index))
    assert batcher.failures == 20
    assert len(said) == 1


async def test_a_cancelled_caller_takes_nobody_along():
    """Whether it waited or was in the running batch, the others get their results."""
    runner = Runner()
    runner.hold.clear()
    async with serving(runner, deadline_s=0.0) as batcher:
        inside = [asyncio.create_task(batcher.submit((name, 0))) for name in "ab"]
        await runner.begun.wait()
        queued = [asyncio.create_task(batcher.submit((name, 1))) for name in "cd"]
        await asyncio.sleep(0)
        assert batcher.waiting == 2
        inside[0].cancel()
        queued[0].cancel()
        await asyncio.sleep(0)
        runner.hold.set()
        assert await inside[1] == ("b", 0)
        assert await queued[1] == ("d", 1)
    assert inside[0].cancelled()
    assert batcher.cancelled == 1
    assert runner.batches[-1] == [("d", 1)]


async def test_the_queue_is_bounded():
    """No more items are inside than there is room for; the others wait at the door and are served in turn."""
    runner = Runner()
    runner.hold.clear()
    async with serving(runner, deadline_s=0.0, room=4) as batcher:
        tasks = [asyncio.create_task(batcher.submit((f"k{index}", 0))) for index in range(50)]
        for _ in range(200):
            await asyncio.sleep(0)
            assert batcher.waiting <= 4
        runner.hold.set()
        assert [result[0] for result in await asyncio.gather(*tasks)] == [f"k{index}" for index in range(50)]


async def test_closing_answers_everyone():
    """Items that are inside when the batcher closes are served; later ones get None at once."""
    runner = Runner()
    async with serving(runner, deadline_s=3600.0) as batcher:
        inside = asyncio.create_task(batcher.submit(("a", 0)))
        await asyncio.sleep(0)
    assert await inside == ("a", 0)
    assert await batcher.submit(("b", 0)) is None


async def test_cancelling_the_server_answers_everyone():
    """When serving ends in the middle of a batch nobody waits for ever."""
    runner = Runner()
    runner.hold.clear()
    batcher = Batcher(run=runner, key=lambda item: item[0], deadline_s=0.0, most=8, room=32)
    server = asyncio.create_task(batcher.serve())
    inside = asyncio.create_task(batcher.submit(("a", 0)))
    await runner.begun.wait()
    queued = asyncio.create_task(batcher.submit(("b", 0)))
    await asyncio.sleep(0)
    server.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server
    assert await inside is None
    assert await queued is None
