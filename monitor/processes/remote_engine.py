# SPDX-License-Identifier: Apache-2.0
"""Face crops of one ingest process in, evidence from the engine process out, by a ring of shared memory."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

import structlog

from monitor.liveness.judge import Look
from monitor.liveness.worst import Worst, shown
from monitor.processes.channel import Channel
from monitor.processes.engine_server import HELLO
from monitor.processes.line import Line, LineCounts
from monitor.processes.messages import Forget, Welcome
from monitor.processes.ring import Ring
from monitor.publish.backoff import Backoff
from monitor.values import NO_CONTEXT, Context, Evidence, FaceCrop, WorstLook

__all__ = ["SLOTS", "Remembered", "RemoteEngine", "slot_bytes"]

log = structlog.get_logger()
SLOTS: Final = 128
"""Faces that one process may ask about before the engine reads any: more than a core can find in a second's fifth."""

BESIDE_BYTES: Final = 256 * 1024
"""Room beside the crop: its surroundings (108 KiB), two seconds of sound (63 KiB), landmarks, words."""

FIRST_RECONNECT_S: Final = 0.05
LAST_RECONNECT_S: Final = 1.0

Remembered = Worst[tuple[str, str, int]]
"""By call, participant and track."""


def slot_bytes(crop_px: int) -> int:
    """Room for one look with a crop of this side."""
    return crop_px * crop_px * 3 + BESIDE_BYTES


class RemoteEngine:
    """Async context manager: keeps a line to the engine at `path`, and connects anew whenever it breaks.

    A look that is not answered within `answer_timeout_s`, or while there is no engine, gives no evidence, and is
    counted. The worst looks are remembered here, or in `worst` with those of other lines, with `pictures` their crops,
    too. The first Welcome is kept: every engine of one service loads the same weights.
    """

    def __init__(
        self,
        path: Path,
        answer_timeout_s: float,
        *,
        pictures: bool = False,
        slots: int = SLOTS,
        worst: Remembered | None = None,
    ) -> None:
        self._path = path
        self._timeout_s = answer_timeout_s
        self._pictures = pictures
        self._slots = slots
        self._backoff = Backoff(FIRST_RECONNECT_S, LAST_RECONNECT_S)
        self._worst: Remembered = Worst() if worst is None else worst
        self._line: Line | None = None
        self._stack = AsyncExitStack()
        self._first = asyncio.Event()
        self.welcome: Welcome
        self.counts = LineCounts()

    async def __aenter__(self) -> Self:
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        keeping = group.create_task(self._keep(), name="line to the engine")
        self._stack.callback(keeping.cancel)
        await self._first.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def crop_px(self) -> int:
        """Side of the crops that are judged."""
        return self.welcome.crop_px

    @property
    def surroundings(self) -> bool:
        """Whether a cue looks at what lies round the face."""
        return self.welcome.surroundings

    @property
    def connected(self) -> bool:
        """Whether there is an engine."""
        return self._line is not None

    @property
    def waiting(self) -> int:
        """Looks that wait for their answer: each participant waits for its own, so never many."""
        return self._line.waiting if self._line else 0

    @property
    def healthy(self) -> bool:
        """Whether there is an engine that answered the last look."""
        return self.connected and self.counts.unanswered_in_a_row == 0

    @property
    def condition(self) -> str:
        """How judging goes, for readiness."""
        if not self.connected:
            return "the engine process is away; it is being started again"
        return "judges" if self.healthy else "the engine did not answer the last look; see the log"

    async def judge(self, crops: Sequence[FaceCrop], context: Context = NO_CONTEXT) -> tuple[Evidence, ...]:
        """Evidence of every cue on each crop of one frame, in the order of the crops; none where it did not come."""
        found = await asyncio.gather(*(self._judge(Look(crop, context)) for crop in crops))
        return tuple(evidence for each in found for evidence in each)

    def worst(self, call: str, participant: str, track: int) -> tuple[WorstLook, ...]:
        """The few looks of a track's last half minute that the network scored highest, the highest first."""
        return self._worst.of((call, participant, track))

    def forget(self, call: str, participant: str, track: int) -> None:
        """A track has ended."""
        self._tell(Forget(call, participant, track))
        self._worst.forget(lambda key: key == (call, participant, track))

    def forget_participant(self, call: str, participant: str) -> None:
        """A participant has left."""
        self._tell(Forget(call, participant))
        self._worst.forget(lambda key: key[:2] == (call, participant))

    def _tell(self, message: Forget) -> None:
        if self._line is not None:
            self._line.tell(message)

    async def _judge(self, look: Look) -> tuple[Evidence, ...]:
        crop = look.crop
        answer = await self._line.ask(look, self._timeout_s) if self._line else None
        if answer is None or answer.evidence is None:
            self.counts.unanswered += 1
            self.counts.unanswered_in_a_row += 1
            return ()
        self.counts.unanswered_in_a_row = 0
        if answer.boundary is not None:
            worst = shown(crop, answer.evidence[0], answer.boundary, rgb=self._pictures)
            self._worst.see((crop.call, crop.participant, crop.track), worst)
        return answer.evidence

    async def _keep(self) -> None:
        while True:
            try:
                await self._connection()
            except OSError as error:
                log.warning("engine_away", error=repr(error), throttle="engine_away")
            await asyncio.sleep(self._backoff.next_s())

    async def _connection(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
            end.setblocking(False)
            await asyncio.get_running_loop().sock_connect(end, str(self._path))
            async with await Channel.over(end) as channel:
                welcome = await channel.receive()
                if isinstance(welcome, Welcome):
                    await self._talk(welcome, channel, end)

    async def _talk(self, welcome: Welcome, channel: Channel, end: socket.socket) -> None:
        if not self._first.is_set():
            self.welcome = welcome
            self._first.set()
        self._line = Line(_offered(end, self._slots, slot_bytes(self.crop_px)), channel, self.counts)
        self.counts.unanswered_in_a_row = 0
        self._backoff.reset()
        log.info("engine_connected", model=welcome.model[0])
        try:
            await self._line.listen()
            log.warning("engine_lost", throttle="engine_lost")
        finally:
            self._line = None


def _offered(end: socket.socket, slots: int, each_bytes: int) -> Ring:
    """A new ring, its memory handed to the other side: it has no name, so nothing is left when both have died."""
    file = os.memfd_create("lifesign-ring", os.MFD_CLOEXEC)
    try:
        os.ftruncate(file, Ring.size_bytes(slots, each_bytes))
        socket.send_fds(end, [HELLO.pack(slots, each_bytes)], [file])
        return Ring.mapped(file, slots, each_bytes)
    finally:
        os.close(file)
