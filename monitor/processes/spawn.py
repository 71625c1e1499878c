# SPDX-License-Identifier: Apache-2.0
"""A program's module in; a process that runs it, and the channel to it, out."""

import asyncio
import contextlib
import io
import os
import socket
import sys
from collections.abc import AsyncIterator
from typing import Final

from monitor.processes.channel import Channel

__all__ = ["ended", "spawned"]

END_S: Final = 5.0
"""How long a process may take to end once it has said all it had to say."""


@contextlib.asynccontextmanager
async def spawned(program: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, Channel]]:
    """A new process and the channel to it; it is dead when the block ends."""
    ours, theirs = socket.socketpair()
    with theirs:
        arguments = (sys.executable, "-m", program, str(theirs.fileno()), str(os.getpid()))
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=_stderr(),
            pass_fds=(theirs.fileno(),),
        )
    try:
        async with await Channel.over(ours) as channel:
            yield process, channel
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def ended(process: asyncio.subprocess.Process) -> None:
    """Wait for its end, but not for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_S):
            await process.wait()


def _stderr() -> int | None:
    """Where this process logs: file descriptor 2 may be what native libraries write to."""
    try:
        return sys.stderr.fileno()
    except io.UnsupportedOperation:
        return None
