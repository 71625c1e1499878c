# SPDX-License-Identifier: Apache-2.0
"""Values of this program in and out over a stream socket between two of its processes."""

import asyncio
import contextlib
import pickle
import socket
import struct
from typing import Any, Final, Self

from monitor.processes.parcel import dumps

__all__ = ["Channel", "frame"]

LENGTH: Final = struct.Struct("<I")
LONGEST_BYTES: Final = 64 * 1024 * 1024
"""Nothing that is sent comes near it; a longer message is a fault, and ends the channel."""


def frame(message: object) -> bytes:
    """A value as it is sent."""
    data = dumps(message)
    return LENGTH.pack(len(data)) + data


class Channel:
    """Async context manager: whole values each way, in their order; at its exit what waits is dropped, see `finish`.

    What has left this process is read by the other side even if the sender dies then. `send` never waits, and `settle`
    waits until the other side keeps up: whoever sends in a loop settles in it.
    Pickled, so for processes of this program alone.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """Take over a connected Unix stream socket."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()
        await self._closed()

    def send(self, message: object) -> None:
        """Hand a value to the other side; lost without a word when it is gone."""
        self._writer.write(frame(message))

    async def settle(self) -> None:
        """Wait until little is left to be sent. Raises ConnectionError when the other side is gone."""
        await self._writer.drain()

    async def receive(self) -> Any:  # noqa: ANN401 - whatever was sent
        """The next value, None when there will be no more."""
        try:
            length = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))[0]
            if length > LONGEST_BYTES:
                return None
            data = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return pickle.loads(data)  # noqa: S301 - written by a process of this program

    async def finish(self) -> None:
        """End the channel once everything is sent, or the other side is gone."""
        self._writer.close()
        await self._closed()

    async def _closed(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
