# SPDX-License-Identifier: Apache-2.0
"""Callers in; their pictures, received as one would first write it or by Lifesign's capture, and their delays out."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from monitor.capture.intake import Intake
from monitor.capture.peer import Peer
from monitor.capture.route import Route
from monitor.capture.tap import Tap
from monitor.config import CaptureSettings
from monitor.values import Frame

__all__ = ["Delays", "Loop", "Taps"]

MOST_DELAYS: Final = 65_536


class Loop:
    """The program that one would write first: every picture of a track as an array."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._connections: list[RTCPeerConnection] = []
        self.delays = Delays()
        self.received = 0

    async def join(self, who: str, offer: str) -> str:
        """Answer an offer."""
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connections.append(connection)
        connection.on("track", lambda track: self._group.create_task(self._watch(track, who)))
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)

    async def close(self) -> None:
        """Hang up; the tracks end with it."""
        await asyncio.gather(*(connection.close() for connection in self._connections))

    async def _watch(self, track: MediaStreamTrack, who: str) -> None:
        while True:
            try:
                picture = await track.recv()
            except MediaStreamError:
                return
            if isinstance(picture, VideoFrame):
                picture.to_ndarray()
                self.delays.see(who, picture.time or 0.0)
                self.received += 1


class Taps:
    """Lifesign's capture alone: sampled frames are taken and let go."""

    def __init__(self, group: asyncio.TaskGroup, settings: CaptureSettings, pool: ThreadPoolExecutor) -> None:
        self._group = group
        self._settings = settings
        self._pool = pool
        self._taps: list[Tap] = []
        self._peers: list[Peer] = []
        self.delays = Delays()

    @property
    def received(self) -> int:
        """Pictures that came."""
        return sum(tap.counts.received for tap in self._taps)

    async def join(self, who: str, offer: str) -> str:
        """Answer an offer."""
        tap = Tap("bench", who, self._settings, self._pool)
        intake = Intake(tap, self._settings, self._pool, Route(self._settings))
        peer = Peer((), intake.attach)
        answer = await peer.answer(offer)
        self._taps.append(tap)
        self._peers.append(peer)
        self._group.create_task(intake.run(), name="intake")
        self._group.create_task(self._read(tap), name="read")
        return answer

    async def close(self) -> None:
        """Hang up; the intakes end with it."""
        await asyncio.gather(*(tap.close() for tap in self._taps), *(peer.close() for peer in self._peers))

    async def _read(self, tap: Tap) -> None:
        async for media in tap.media():
            if isinstance(media, Frame):
                self.delays.see(media.participant, media.media_s)


class Delays:
    """How long after a caller's picture was due it was seen decoded; the newest ones are kept."""

    def __init__(self) -> None:
        self._seen: deque[tuple[str, float, float]] = deque(maxlen=MOST_DELAYS)

    def see(self, who: str, media_s: float) -> None:
        """A picture, by its time since the first one, is there."""
        self._seen.append((who, media_s, time.monotonic()))

    def take(self, began_s: Mapping[str, float]) -> list[float]:
        """Seconds for each picture seen since the last time."""
        taken = [at_s - began_s[who] - media_s for who, media_s, at_s in self._seen]
        self._seen.clear()
        return taken
