# SPDX-License-Identifier: Apache-2.0
"""A socket to the main process in: this process is what the first message says, until that ends or is gone."""

import asyncio
import ctypes
import os
import signal
import socket
import sys
from typing import Final

import structlog

from monitor import logs, native
from monitor.errors import LifesignError
from monitor.processes.channel import Channel
from monitor.processes.messages import EngineStart, IngestStart, Refused
from monitor.settings_file import secrets

__all__ = ["main"]

PR_SET_PDEATHSIG: Final = 1


def main(end: int, parent: int) -> None:
    """Live by what comes over the socket with this descriptor, from the process with this id."""
    _die_with(parent)
    # The main process says when to stop: signals of a terminal or a service manager reach all processes at once.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    asyncio.run(_live(socket.socket(fileno=end)))


def _die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent dies, however stuck it is then."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(0)


async def _live(end: socket.socket) -> None:
    async with await Channel.over(end) as channel:
        start = await channel.receive()
        if isinstance(start, EngineStart | IngestStart):
            _log(start)
            try:
                await _be(start, channel)
            except LifesignError as error:
                channel.send(Refused(error.code, error.what, error.advice))
        await channel.finish()


async def _be(start: EngineStart | IngestStart, channel: Channel) -> None:
    # Neither loads what only the other needs: MediaPipe and aiortc are half of the time a start takes.
    if isinstance(start, EngineStart):
        from monitor.processes import engine_process  # noqa: PLC0415

        await engine_process.live(start, channel)
    else:
        from monitor.processes import ingest_process  # noqa: PLC0415

        await ingest_process.live(start, channel)


def _log(start: EngineStart | IngestStart) -> None:
    settings = start.settings
    if settings.log.level != "debug":
        native.catch()
    logs.configure(settings.log, secrets(settings))
    structlog.contextvars.bind_contextvars(process=start.name)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
