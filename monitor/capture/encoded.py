# SPDX-License-Identifier: Apache-2.0
"""RTP packets of one video stream in; its sampled pictures into the tap, and feedback to the sender, out."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final, Protocol

from monitor.config import CaptureSettings
from monitor.values import Picture

from .decode import Decoder, Job
from .jitter import InOrder, JitterBuffer
from .keyframes import KeyframeWatch
from .layers import LayerChoice
from .packet import Packet
from .part import Part
from .payload import PARSERS
from .references import References
from .tap import Sample, Tap
from .ticks import Ticks
from .unit import Unit
from .units import Assembler

__all__ = ["EncodedStream", "Feedback"]

TICK_S: Final = 0.020
RELIEF: Final = 8
"""With more units than this waiting for a thread, only the base layer is still decoded."""

CodedPacket = tuple[str, Packet, float]


class Feedback(Protocol):
    """The way back to the sender, and what the receiver counted."""

    @property
    def lost_packets(self) -> int:
        """Packets of the stream that never came."""

    async def nack(self, ssrc: int, sequences: list[int]) -> None:
        """Ask for packets again."""

    async def pli(self, ssrc: int) -> None:
        """Ask for a keyframe."""


class EncodedStream:
    """The encoded path of one video track, seen from the tap as a `StreamView`.

    `take` is called with each packet as it comes, `run` beside it sends what a sender must hear: missing packets
    every 40 ms, a keyframe every 300 ms for as long as nothing can be decoded without one. `now` is monotonic seconds.
    """

    def __init__(
        self,
        feedback: Feedback,
        tap: Tap,
        settings: CaptureSettings,
        pool: Executor,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feedback = feedback
        self._tap = tap
        self._now = now
        self._deadline_s = settings.jitter_ms / 1000
        self._decoder = Decoder(pool, self._show, self._fail)
        self._packets: JitterBuffer[CodedPacket] = JitterBuffer(self._deadline_s)
        self._units = Assembler()
        self._references = References()
        self._layers = LayerChoice()
        self._ticks = Ticks()
        self._trouble = asyncio.Event()
        self._ssrc: int | None = None
        self._keyframes = KeyframeWatch()
        self.codec = "unknown"
        self.received_bytes = 0
        self.dropped_count = 0

    @property
    def lost_packets(self) -> int:
        """Packets that never came, retransmissions not counted."""
        return self._feedback.lost_packets

    @property
    def waiting(self) -> int:
        """Coded pictures that wait for a thread."""
        return len(self._decoder)

    @property
    def waiting_packets(self) -> int:
        """Packets behind one that is missing."""
        return len(self._packets)

    @property
    def top_layer(self) -> int:
        """The highest temporal layer that is decoded."""
        return self._layers.top(self._tap.samples_per_s)

    @property
    def newest_s(self) -> float | None:
        """Arrival of the newest picture that was decoded."""
        return self._decoder.decoded_s

    def take(self, codec: str, packet: Packet) -> None:
        """Take a packet, sent for the first time or again, of the codec with this name in lower case."""
        now_s = self._now()
        if packet.ssrc != self._ssrc:
            self._ssrc = packet.ssrc
            self._packets = JitterBuffer(self._deadline_s)
            self._units.padding(lost=1)
        self._follow(self._packets.add(packet.sequence_number, (codec, packet, now_s), now_s))
        self._watch()

    def tick(self) -> tuple[list[int], bool]:
        """Let deadlines pass; gives the sequence numbers to ask for now, and whether to ask for a keyframe."""
        now_s = self._now()
        self._follow(self._packets.expire(now_s))
        keyframe = self._keyframes.due(needed=self._references.keyframe_needed, now_s=now_s)
        return self._packets.wanted(now_s), keyframe

    async def run(self) -> None:
        """Tick for as long as something is missing, until cancelled."""
        try:
            while True:
                await self._trouble.wait()
                missing, keyframe = self.tick()
                await self._ask(missing, keyframe=keyframe)
                self._watch()
                await asyncio.sleep(TICK_S)
        finally:
            self._decoder.close()

    async def _ask(self, missing: list[int], *, keyframe: bool) -> None:
        if self._ssrc is not None and missing:
            await self._feedback.nack(self._ssrc, missing)
        if self._ssrc is not None and keyframe:
            await self._feedback.pli(self._ssrc)

    def _watch(self) -> None:
        trouble = self._packets.holed or self._references.keyframe_needed
        if trouble != self._trouble.is_set():
            (self._trouble.set if trouble else self._trouble.clear)()

    def _follow(self, ready: list[InOrder[CodedPacket]]) -> None:
        for each in ready:
            (codec, packet, arrived_s), lost = each
            payload = packet.payload
            if not payload:
                self._units.padding(lost)
                continue
            part, marker = _part(codec, payload), bool(packet.marker)
            for unit in self._units.add(codec, packet.timestamp, part, arrived_s, marker=marker, lost=lost):
                self._came(unit)

    def _came(self, unit: Unit) -> None:
        self.codec = unit.codec
        self.received_bytes += len(unit.data)
        media_s = self._tap.note(self._ticks.at(unit.stamp), unit.arrived_s)
        self._layers.see(unit.layer, media_s)
        if self._decoder.behind(self._now()):
            self.dropped_count += self._decoder.clear()
            self._references.lose()
        admitted = self._references.admits(unit)
        if self._references.keyframe_needed:
            self.dropped_count += 1
            self._keyframes.refuse()
            return
        self._tap.count()
        if admitted:
            self._put(unit, media_s)

    def _put(self, unit: Unit, media_s: float) -> None:
        if not self._wanted(unit):
            self._references.leave_out(unit)
            return
        picked = self._tap.pick(media_s)
        if picked or not unit.disposable:
            self._decoder.put(Job(unit, media_s, picked))

    def _wanted(self, unit: Unit) -> bool:
        if unit.layer and len(self._decoder) > RELIEF:
            return False
        return (unit.layer or 0) <= self.top_layer

    def _show(self, job: Job, picture: Picture) -> None:
        unit = job.unit
        self._tap.show(Sample(picture, job.media_s, unit.arrived_s, unit.keyframe, unit.layer))

    def _fail(self, _job: Job) -> None:
        self._tap.fail()
        self._references.lose()
        self._watch()


def _part(codec: str, payload: bytes) -> Part | None:
    parse = PARSERS.get(codec)
    try:
        return parse(payload) if parse else None
    except ValueError:
        return None
