# SPDX-License-Identifier: Apache-2.0
"""Feeds in, one named task group per call: participants join, are watched, and leave."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog

from monitor.capture.feed import Feed
from monitor.errors import LifesignError

__all__ = ["Calls"]

log = structlog.get_logger()


@dataclass(slots=True)
class _Call:
    name: str
    group: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    feeds: dict[str, Feed] = field(default_factory=dict)


class Calls:
    """All calls of this process, inside `group`; an error in a call ends that call alone.

    `watch` judges one feed until it ends. `changed(call, feeds)` is told when someone joins or leaves;
    without feeds the call is over.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        watch: Callable[[Feed], Awaitable[None]],
        changed: Callable[[str, Mapping[str, Feed]], None],
    ) -> None:
        self._group = group
        self._watch = watch
        self._changed = changed
        self._calls: dict[str, _Call] = {}
        self.failed = 0
        self._none = asyncio.Event()
        self._none.set()

    async def all_ended(self) -> None:
        """Wait until no call goes on."""
        await self._none.wait()

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the calls that go on."""
        return tuple(self._calls)

    def feeds(self, call: str) -> Mapping[str, Feed]:
        """Feeds by participant; none when there is no such call."""
        return self._calls[call].feeds if call in self._calls else {}

    def all_feeds(self) -> tuple[Feed, ...]:
        """Feeds of everybody watched now."""
        return tuple(feed for call in self._calls.values() for feed in call.feeds.values())

    @property
    def participants(self) -> int:
        """Participants watched now."""
        return sum(len(call.feeds) for call in self._calls.values())

    async def admit(self, feed: Feed) -> None:
        """Watch the feed inside its call's task group; returns when the feed has ended.

        A participant who is already there is sent away first: the newest publisher speaks.
        """
        call = await self._joined(feed)
        task = call.group.create_task(self._guarded(feed), name=f"watch {feed.call}/{feed.participant}")
        self._changed(call.name, call.feeds)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            self._leave(call, feed)

    async def _joined(self, feed: Feed) -> _Call:
        while (call := self._calls.get(feed.call)) is not None and call.empty.is_set():
            await call.ended.wait()
        if call is None:
            call = self._calls[feed.call] = _Call(feed.call)
            self._none.clear()
            self._group.create_task(self._host(call), name=f"call {feed.call}")
        older = call.feeds.get(feed.participant)
        call.feeds[feed.participant] = feed
        await call.begun.wait()
        if older is not None:
            await older.close()
        return call

    async def _guarded(self, feed: Feed) -> None:
        with structlog.contextvars.bound_contextvars(call=feed.call, participant=feed.participant):
            try:
                await self._watch(feed)
            except LifesignError as error:
                self.failed += 1
                log.warning("participant_ended", code=error.code, what=error.what, advice=error.advice)
            finally:
                await feed.close()

    async def _host(self, call: _Call) -> None:
        try:
            async with call.group:
                call.begun.set()
                await call.empty.wait()
        except* Exception:
            self.failed += 1
            log.exception("call_failed", call=call.name)
        finally:
            call.empty.set()
            del self._calls[call.name]
            if not self._calls:
                self._none.set()
            self._changed(call.name, {})
            call.ended.set()

    def _leave(self, call: _Call, feed: Feed) -> None:
        if call.feeds.get(feed.participant) is feed:
            del call.feeds[feed.participant]
        if not call.feeds:
            call.empty.set()
        elif not call.empty.is_set():
            self._changed(call.name, call.feeds)
