# SPDX-License-Identifier: Apache-2.0
"""Sockets of all connections in; their datagrams, read together and at intervals, out."""

import asyncio
import select
import socket
from typing import Final

from aioice.ice import StunProtocol

__all__ = ["BURST", "Sockets", "gather"]

LONGEST_BYTES: Final = 9216
"""A jumbo frame; asyncio makes room for 256 KiB each time."""

BURST: Final = 64
"""Datagrams read of one socket before the next one's turn."""

LOOPS: Final[dict[asyncio.AbstractEventLoop, "Sockets"]] = {}
"""One reader for each event loop that has sockets to read."""


def gather(protocol: StunProtocol, pause_s: float) -> bool:
    """Read the socket of a protocol together with all others, at most once in `pause_s`, until it is closed.

    Gives False, and changes nothing, where asyncio does not read the socket itself: a TURN relay, or a loop of another
    make, such as uvloop's.
    """
    transport = protocol.transport
    sock = transport.get_extra_info("socket")
    if sock is None or not hasattr(transport, "pause_reading"):
        return False
    loop = asyncio.get_running_loop()
    if loop not in LOOPS:
        LOOPS[loop] = Sockets(loop, pause_s)
    transport.pause_reading()
    LOOPS[loop].add(protocol, sock.dup())
    return True


class Sockets:
    """Reads sockets in rounds, at most one in `pause_s`.

    A process that wakes up for each datagram spends more on waking up than on the datagram. While media flow, a timer
    begins each round; after a round that found nothing the next datagram does. A socket that holds more than a
    burst is read on at once, after all else that is due.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, pause_s: float) -> None:
        self._loop = loop
        self._pause_s = pause_s
        self._epoll = select.epoll()
        self._ports: dict[int, tuple[socket.socket, StunProtocol]] = {}
        self._timer: asyncio.Handle | None = None
        loop.add_reader(self._epoll.fileno(), self._wake)

    def __len__(self) -> int:
        return len(self._ports)

    def add(self, protocol: StunProtocol, sock: socket.socket) -> None:
        """Read a socket, which is this object's from now on, until the protocol's connection is lost."""
        sock.setblocking(False)
        self._ports[sock.fileno()] = sock, protocol
        self._epoll.register(sock.fileno(), select.EPOLLIN)
        lost = protocol.connection_lost

        def connection_lost(error: Exception | None) -> None:
            self._forget(sock)
            lost(error)

        protocol.connection_lost = connection_lost  # type: ignore[method-assign,assignment]

    def _forget(self, sock: socket.socket) -> None:
        self._epoll.unregister(sock.fileno())
        del self._ports[sock.fileno()]
        sock.close()
        if not self._ports:
            self._close()

    def _close(self) -> None:
        if self._timer is None:
            self._loop.remove_reader(self._epoll.fileno())
        else:
            self._timer.cancel()
        self._epoll.close()
        del LOOPS[self._loop]

    def _wake(self) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._round()

    def _round(self) -> None:
        ready = self._epoll.poll(0)
        full = [at for at, _ in ready if self._drain(*self._ports[at])]
        if full:
            self._timer = self._loop.call_soon(self._round)
        elif ready:
            self._timer = self._loop.call_later(self._pause_s, self._round)
        else:
            self._timer = None
            self._loop.add_reader(self._epoll.fileno(), self._wake)

    def _drain(self, sock: socket.socket, protocol: StunProtocol) -> bool:
        """Whether the socket may hold more."""
        for _ in range(BURST):
            try:
                data, address = sock.recvfrom(LONGEST_BYTES)
            except (BlockingIOError, InterruptedError):
                return False
            except OSError as error:
                protocol.error_received(error)
                return False
            self._deliver(protocol, data, address)
        return True

    def _deliver(self, protocol: StunProtocol, data: bytes, address: tuple[str, int]) -> None:
        """One datagram that cannot be handled must not keep the others waiting."""
        try:
            protocol.datagram_received(data, address)
        except Exception as error:
            self._loop.call_exception_handler({"message": "a datagram was not handled", "exception": error})
