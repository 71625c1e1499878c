# SPDX-License-Identifier: Apache-2.0
"""Processes that belong together in; all of them started, and stopped at the end, out."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

import structlog

from monitor.processes.child import Child

__all__ = ["Crew"]

log = structlog.get_logger()


class Crew:
    """Async context manager: the children run inside it, started together and stopped together.

    Raises StartError when one cannot start. At the end they get `limit_s` to say their last words, then are killed.
    """

    def __init__(self, children: Sequence[Child], limit_s: float) -> None:
        self._children = children
        self._limit_s = limit_s
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._tasks = [group.create_task(child.run(), name=child.name) for child in self._children]
        try:
            await asyncio.gather(*(child.begun() for child in self._children))
        except BaseException:
            await self._end(self._tasks)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for child in self._children:
            child.stop()
        await asyncio.wait(self._tasks, timeout=self._limit_s)
        late = [task for task in self._tasks if not task.done()]
        for task in late:
            log.warning("process_killed", name=task.get_name(), limit_s=self._limit_s)
        await self._end(late)

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await self._stack.aclose()
