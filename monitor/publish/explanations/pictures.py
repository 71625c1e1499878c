# SPDX-License-Identifier: Apache-2.0
"""An album and what is to be kept in it in; a task that writes it and deletes what expires, off the loop, out."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, Self, TypeVar

import structlog

from monitor.errors import CapacityError, PicturesKeyError
from monitor.publish.explanations.album import Album
from monitor.publish.explanations.explanation import Explanation, Kept
from monitor.publish.explanations.folder import Survey
from monitor.publish.throttle import Throttle
from monitor.values import WorstLook

__all__ = ["PictureCounts", "Pictures"]

log = structlog.get_logger()
Answer = TypeVar("Answer")

MOST_WAITING: Final = 64
SWEEP_S: Final = 60.0
ANSWER_S: Final = 5.0


class PictureCounts(NamedTuple):
    """What happened so far; `waiting`, `files`, `bytes` and `foreign` are of this moment."""

    waiting: int
    written: int
    lost: int
    unreadable: int
    files: int
    bytes: int
    foreign: int


class Pictures:
    """Async context manager that owns the task; the folder is one thread's.

    A disk that is full or gone costs pictures, which are counted as lost, and nothing else. What waits when it is left
    is written first. Entering raises PicturesError when pictures are on and the folder cannot be written.
    """

    def __init__(self, album: Album, sweep_s: float = SWEEP_S, answer_s: float = ANSWER_S) -> None:
        self._album = album
        self._sweep_s = sweep_s
        self._answer_s = answer_s
        self._waiting: dict[str, tuple[Explanation, tuple[WorstLook, ...]]] = {}
        self._news = asyncio.Event()
        self._closed = False
        self._written = self._lost = 0
        self._survey = Survey(0, 0, 0)
        self._throttle = Throttle()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, "pictures")
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._thread.shutdown, wait=False)
            await self._prepare()
            group = await stack.enter_async_context(asyncio.TaskGroup())
            group.create_task(self._run(), name="pictures")
            stack.callback(self._close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def on(self) -> bool:
        """Whether pictures are kept."""
        return self._album.on

    @property
    def counts(self) -> PictureCounts:
        """Figures for metrics."""
        return PictureCounts(len(self._waiting), self._written, self._lost, self._album.unreadable, *self._survey)

    def put(self, explanation: Explanation, looks: Sequence[WorstLook]) -> None:
        """Have an alert's pictures written; the newest of an alert replaces one that still waits."""
        if not self.on or not any(look.rgb is not None for look in looks):
            return
        self._waiting[explanation.alert.alert] = explanation, tuple(looks)
        if len(self._waiting) > MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
            self._lose("the disk is too slow")
        self._news.set()

    async def read(self, alert: str) -> Kept | None:
        """What is kept of an alert; None when there is nothing, nothing any more, or nothing that can be read.

        Raises PicturesKeyError for what was sealed with another key, CapacityError when the disk does not answer.
        """
        try:
            async with asyncio.timeout(self._answer_s):
                return await self._off_loop(lambda: self._album.read(alert))
        except TimeoutError as error:
            raise CapacityError(
                "The folder of pictures does not answer.", "Look at its disk, then ask again.", {"Retry-After": "10"}
            ) from error

    async def _prepare(self) -> None:
        if not self.on:
            return
        await self._off_loop(self._album.prepare)
        try:
            await self._off_loop(self._album.check_key)
        except PicturesKeyError as error:
            log.warning("pictures_unread", code=error.code, what=error.what, advice=error.advice)

    async def _run(self) -> None:
        while True:
            self._news.clear()
            while self._waiting:
                await self._write(*self._waiting.pop(next(iter(self._waiting))))
            await self._sweep()
            if self._closed and not self._waiting:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._sweep_s):
                    await self._news.wait()

    async def _write(self, explanation: Explanation, looks: Sequence[WorstLook]) -> None:
        try:
            await self._off_loop(lambda: self._album.write(explanation, looks))
            self._written += 1
        except OSError as error:
            self._lose(str(error))

    async def _sweep(self) -> None:
        try:
            self._survey = await self._off_loop(self._album.sweep)
        except OSError as error:
            self._say("pictures_not_swept", str(error))

    def _lose(self, why: str) -> None:
        self._lost += 1
        self._say("picture_lost", why)

    def _say(self, event: str, why: str) -> None:
        if self._throttle.may(event):
            log.error(event, why=why, folder=str(self._album.folder.path), lost=self._lost)

    def _close(self) -> None:
        self._closed = True
        self._news.set()

    async def _off_loop(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
