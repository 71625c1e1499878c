# SPDX-License-Identifier: Apache-2.0
"""What one process is to be in; that process, started anew whenever it ends or falls silent, out."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from monitor import errors
from monitor.errors import ProcessError, StartError
from monitor.processes.channel import Channel
from monitor.processes.messages import Ready, Refused, Report, Stop
from monitor.processes.spawn import ended, spawned
from monitor.publish.backoff import Backoff

__all__ = ["Child"]

log = structlog.get_logger()
FIRST_RESTART_S: Final = 0.2
LAST_RESTART_S: Final = 30.0
STEADY_S: Final = 60.0
"""A process that lived this long did not fail at its start: the next one follows it soon."""

SILENT_S: Final = 30.0
"""Processes report every second, also while they judge."""

START_S: Final = 120.0
"""Loading libraries and weights takes five seconds of a core, and a machine that restarts has all its cores busy."""

WORKER: Final = "monitor.processes.worker"
Hear = Callable[[object], Awaitable[None]]
Lost = Callable[[], Awaitable[None]]


class Child:
    """One process of `kind`: `start` is its first message, `hear` gets what it says, in order.

    `lost` is told when it ended unasked, after everything it had said was heard. `report` is its newest report.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        start: object,
        hear: Hear,
        lost: Lost,
        *,
        silent_s: float = SILENT_S,
        program: str = WORKER,
    ) -> None:
        self.kind = kind
        self.name = name
        self.restarts = 0
        self.ready: Ready | None = None
        self.report = Report()
        self.pid: int | None = None
        self._start = start
        self._hear = hear
        self._lost = lost
        self._silent_s = silent_s
        self._program = program
        self._backoff = Backoff(FIRST_RESTART_S, LAST_RESTART_S)
        self._channel: Channel | None = None
        self._stopping = asyncio.Event()
        self._begun = False
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def up(self) -> bool:
        """Whether the process is there and has started."""
        return self.ready is not None

    async def begun(self) -> None:
        """Wait until the process has started for the first time. Raises StartError when it cannot."""
        await asyncio.shield(self._first)

    async def run(self) -> None:
        """Keep the process alive until `stop`, or until it cannot even start for the first time."""
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            since_s = loop.time()
            code = await self._once()
            if self._stopping.is_set() or not self._begun:
                break
            self.restarts += 1
            log.warning("process_lost", code=ProcessError.code, kind=self.kind, name=self.name, exit_status=code)
            await self._lost()
            if loop.time() - since_s > STEADY_S:
                self._backoff.reset()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._backoff.next_s())
        what = f"The {self.name} process ended before it was ready."
        self._refuse(ProcessError(what, "See the log above; set node.processes to 0 to run without it."))

    def stop(self) -> None:
        """Let the process say its last words and end, one that has not started at once; `run` returns then."""
        self._stopping.set()
        if self._channel is not None and self.up:
            self._channel.send(Stop())
        elif self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)

    async def _once(self) -> int | None:
        async with spawned(self._program) as (process, channel):
            self.pid, self._channel = process.pid, channel
            channel.send(self._start)
            try:
                if await self._listen(channel):
                    await ended(process)
            finally:
                self.pid = self.ready = self._channel = None
                self.report = Report()
        return process.returncode

    async def _listen(self, channel: Channel) -> bool:
        """Take what the process says; False when it fell silent, True when it has said all."""
        while True:
            try:
                async with asyncio.timeout(self._silent_s if self.up else START_S):
                    message = await channel.receive()
            except TimeoutError:
                log.warning("process_silent", code=ProcessError.code, kind=self.kind, name=self.name, s=self._silent_s)
                return False
            if message is None:
                return True
            await self._take(message)

    async def _take(self, message: object) -> None:
        match message:
            case Ready():
                self.ready, self._begun = message, True
                await self._hear(message)
                if not self._first.done():
                    self._first.set_result(None)
                log.info("process_ready", kind=self.kind, name=self.name)
            case Refused(code, what, advice):
                log.error("process_refused", code=code, what=what, advice=advice, kind=self.kind, name=self.name)
                self._refuse(_error(code, what, advice))
            case Report():
                self.report = message
                await self._hear(message)
            case _:
                await self._hear(message)

    def _refuse(self, error: StartError) -> None:
        if not self._first.done():
            self._first.set_exception(error)


def _error(code: str, what: str, advice: str) -> StartError:
    kinds = [getattr(errors, name) for name in errors.__all__]
    found = next((kind for kind in kinds if kind.code == code and issubclass(kind, StartError)), StartError)
    error: StartError = found(what, advice)
    return error
