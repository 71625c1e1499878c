# SPDX-License-Identifier: Apache-2.0
"""Participants join, are watched inside their call's task group, and leave."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from monitor.calls import Calls
from monitor.capture.feed import Feed
from monitor.errors import MediaError
from tests.fakes.feeds import ScriptedFeed

Told = list[tuple[str, tuple[str, ...]]]


async def watch_until_closed(feed: Feed) -> None:
    """Read a feed to its end; one called `broken` fails, one called `unplayable` is refused."""
    if feed.participant == "broken":
        raise RuntimeError("a fault in the pipeline")
    if feed.participant == "unplayable":
        raise MediaError("It cannot be judged.", "Send something else.")
    async for _ in feed.media():
        pass


@asynccontextmanager
async def opened(told: Told) -> AsyncIterator[Calls]:
    """Calls that note what they are told, and end with the block."""

    def changed(call: str, feeds: Mapping[str, Feed]) -> None:
        told.append((call, tuple(sorted(feeds))))

    async with asyncio.TaskGroup() as group:
        yield Calls(group, watch_until_closed, changed)


async def settled() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_call_begins_with_its_first_and_ends_with_its_last_participant() -> None:
    """Each join and leave is told; a call without participants is over and forgotten."""
    told: Told = []
    async with opened(told) as calls:
        ann, ben = ScriptedFeed(participant="ann"), ScriptedFeed(participant="ben")
        admitted = [asyncio.create_task(calls.admit(ann))]
        await settled()
        admitted.append(asyncio.create_task(calls.admit(ben)))
        await settled()
        assert calls.participants == 2
        assert calls.names == ("call",)
        await ann.close()
        await settled()
        assert set(calls.feeds("call")) == {"ben"}
        await ben.close()
        await asyncio.gather(*admitted)
        await settled()
        assert calls.names == ()
    assert told == [("call", ("ann",)), ("call", ("ann", "ben")), ("call", ("ben",)), ("call", ())]


async def test_a_fault_ends_its_own_call_only() -> None:
    """An unexpected error takes down the call it happened in; the other call goes on."""
    told: Told = []
    async with opened(told) as calls:
        bystander, other = ScriptedFeed(participant="ann"), ScriptedFeed(call="other", participant="eve")
        tasks = [asyncio.create_task(calls.admit(feed)) for feed in (bystander, other)]
        await settled()
        await calls.admit(ScriptedFeed(participant="broken"))
        await settled()
        assert bystander.closed.is_set()
        assert calls.names == ("other",)
        assert calls.failed == 1
        await other.close()
        await asyncio.gather(*tasks)


async def test_a_known_error_ends_its_own_participant_only() -> None:
    """Media that cannot be judged end one participant; the others of the call stay."""
    async with opened([]) as calls:
        ann = ScriptedFeed(participant="ann")
        task = asyncio.create_task(calls.admit(ann))
        await settled()
        await calls.admit(ScriptedFeed(participant="unplayable"))
        assert set(calls.feeds("call")) == {"ann"}
        assert not ann.closed.is_set()
        await ann.close()
        await task


async def test_the_newest_publisher_of_a_name_speaks() -> None:
    """A participant who comes back replaces the older feed, and the call goes on."""
    async with opened([]) as calls:
        older, newer = ScriptedFeed(), ScriptedFeed()
        first = asyncio.create_task(calls.admit(older))
        await settled()
        second = asyncio.create_task(calls.admit(newer))
        await first
        assert older.closed.is_set()
        assert calls.feeds("call") == {"ann": newer}
        await newer.close()
        await second


async def test_a_call_id_can_be_used_again_at_once() -> None:
    """Joining while the last call of that name winds down opens a new one after its end was told."""
    told: Told = []
    async with opened(told) as calls:
        for _ in range(3):
            feed = ScriptedFeed()
            task = asyncio.create_task(calls.admit(feed))
            await settled()
            await feed.close()
            await task
    assert told == [("call", ("ann",)), ("call", ())] * 3


async def test_cancelling_an_admission_ends_the_watching() -> None:
    """A session that is cancelled leaves no participant and no open feed behind."""
    async with opened([]) as calls:
        feed = ScriptedFeed()
        task = asyncio.create_task(calls.admit(feed))
        await settled()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await settled()
        assert feed.closed.is_set()
        assert calls.participants == 0
