# SPDX-License-Identifier: Apache-2.0
"""Looks of all ingest processes in, handed to one engine; answers out, each to the process that asked."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Protocol, Self

import structlog

from monitor.errors import LifesignError
from monitor.liveness.judge import Judged, Look
from monitor.processes.channel import Channel, frame
from monitor.processes.messages import Answer, Forget, Rung, Welcome
from monitor.processes.parcel import unpack
from monitor.processes.ring import Ring
from monitor.processes.sound import arrived

__all__ = ["HELLO", "EngineServer"]

log = structlog.get_logger()
HELLO: Final = struct.Struct("<II")
"""Slots and their bytes; goes with the descriptor of the ring's memory."""


class Looking(Protocol):
    """What a server needs of an engine."""

    @property
    def identity(self) -> tuple[str, str]:
        """Name and SHA-256 of the weights."""
        ...

    @property
    def crop_px(self) -> int:
        """Side of the crops that are judged."""
        ...

    @property
    def surroundings(self) -> bool:
        """Whether a cue looks at what lies round the face."""
        ...

    async def look(self, look: Look) -> Judged | None:
        """What is found of one look, None when its batch failed. Raises LifesignError for one that it refuses."""
        ...

    def forget(self, call: str, participant: str, track: int) -> None:
        """A track has ended."""
        ...

    def forget_participant(self, call: str, participant: str) -> None:
        """A participant has left."""
        ...


class EngineServer:
    """Async context manager: judges for whoever connects to the Unix socket at `path` and brings a ring.

    `torn` counts looks that were overwritten before they were read, `failed` those that could not be judged.
    """

    def __init__(self, engine: Looking, path: Path) -> None:
        self._engine = engine
        self._path = path
        self._stack = AsyncExitStack()
        self.clients = 0
        self.torn = 0
        self.failed = 0

    async def __aenter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        listener = self._stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.setblocking(False)
        listener.bind(str(self._path))
        listener.listen()
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        accepting = group.create_task(self._accept(listener, group), name="engine clients")
        self._stack.callback(accepting.cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def welcome(self) -> Welcome:
        """What the engine says of itself."""
        engine = self._engine
        return Welcome(engine.identity, engine.crop_px, engine.surroundings)

    async def _accept(self, listener: socket.socket, group: asyncio.TaskGroup) -> None:
        clients: set[asyncio.Task[None]] = set()
        try:
            while True:
                end, _ = await asyncio.get_running_loop().sock_accept(listener)
                client = group.create_task(self._serve(end), name="engine client")
                clients.add(client)
                client.add_done_callback(clients.discard)
        finally:
            for client in tuple(clients):
                client.cancel()

    async def _serve(self, end: socket.socket) -> None:
        self.clients += 1
        try:
            await asyncio.get_running_loop().sock_sendall(end, frame(self.welcome))
            ring = await _greeted(end)
            async with await Channel.over(end) as channel:
                await _Client(self._engine, ring, channel, self._count).run()
        except Exception:  # one bad client ends one client
            log.exception("engine_client_failed", throttle="engine_client_failed")
        finally:
            end.close()
            self.clients -= 1

    def _count(self, *, torn: bool) -> None:
        self.torn += torn
        self.failed += not torn


class _Client:
    """One ingest process; what it leaves behind when it goes is forgotten."""

    def __init__(self, engine: Looking, ring: Ring, channel: Channel, count: Callable[..., None]) -> None:
        self._engine = engine
        self._ring = ring
        self._channel = channel
        self._count = count
        self._people: set[tuple[str, str]] = set()
        # As many looks as the ring has slots may be inside; who rings on waits in the socket, where slots go stale.
        self._places = asyncio.Semaphore(ring.slots)

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                while (message := await self._channel.receive()) is not None:
                    await self._take(message, group)
        finally:
            for name in self._people:
                self._engine.forget_participant(*name)

    async def _take(self, message: Rung | Forget, group: asyncio.TaskGroup) -> None:
        match message:
            case Rung(sequence):
                await self._places.acquire()
                self._begin(sequence, group)
            case Forget(call, participant, None):
                self._people.discard((call, participant))
                self._engine.forget_participant(call, participant)
            case Forget(call, participant, track) if track is not None:
                self._engine.forget(call, participant, track)

    def _begin(self, sequence: int, group: asyncio.TaskGroup) -> None:
        run = self._ring.take(sequence)
        if run is None:
            self._places.release()
            self._count(torn=True)
            self._channel.send(Answer(sequence, torn=True))
            return
        look = arrived(unpack(run))
        self._people.add((look.crop.call, look.crop.participant))
        group.create_task(self._judge(sequence, look), name="look")

    async def _judge(self, sequence: int, look: Look) -> None:
        try:
            judged = await self._engine.look(look)
        except LifesignError as error:
            log.warning("look_refused", code=error.code, what=error.what, throttle="look")
            judged = None
        finally:
            self._places.release()
        if judged is None:
            self._count(torn=False)
            self._channel.send(Answer(sequence))
        else:
            self._channel.send(Answer(sequence, judged.evidence, judged.boundary))


async def _greeted(end: socket.socket) -> Ring:
    """The ring whose memory a client sends in answer. Raises ValueError or struct.error for anything else."""
    await _readable(end)
    words, files, _, _ = socket.recv_fds(end, HELLO.size, 1)
    try:
        return Ring.mapped(*files[:1], *HELLO.unpack(words))
    finally:
        for file in files:
            os.close(file)


async def _readable(end: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    end.setblocking(False)
    there: asyncio.Future[None] = loop.create_future()

    def readable() -> None:
        if not there.done():
            there.set_result(None)

    loop.add_reader(end, readable)
    try:
        await there
    finally:
        loop.remove_reader(end)
