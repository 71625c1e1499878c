# SPDX-License-Identifier: Apache-2.0
"""Session descriptions in, one receiving WebRTC connection with a clean end out."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceCandidate,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)

from monitor.config import IceServer

from .adapter import prepare
from .adapter_ports import PortGuard, guard_ports, lose_packets
from .codecs import decodable
from .route import Path

__all__ = ["Peer", "configuration"]

CLOSE_TIMEOUT_S: Final = 5.0
DEAD: Final = frozenset({"failed", "closed"})


def configuration(servers: Sequence[IceServer]) -> RTCConfiguration:
    """The STUN and TURN servers of the settings and no others: aiortc would ask a public one by default."""
    return RTCConfiguration(
        iceServers=[
            RTCIceServer(
                urls=each.url,
                username=each.username,
                credential=each.credential.get_secret_value() if each.credential else None,
            )
            for each in servers
        ]
    )


class Peer:
    """A connection that receives; `gone` is set when the other side left or could not be reached.

    `on_receiver` is called with each receiver that got a track, before media can flow.
    """

    def __init__(self, servers: Sequence[IceServer], on_receiver: Callable[[RTCRtpReceiver], None]) -> None:
        prepare()
        self._connection = RTCPeerConnection(configuration(servers))
        self._on_receiver = on_receiver
        self._guard: PortGuard | None = None
        self.gone = asyncio.Event()
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("track", self._track_came)

    @property
    def strays(self) -> int:
        """Datagrams dropped because they came from nowhere known."""
        return self._guard.dropped_count if self._guard else 0

    async def answer(self, offer: str) -> str:
        """Answer an offer; the answer holds all candidates. Raises what aiortc raises."""
        await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        self._guard = guard_ports(self._connection)
        return str(self._connection.localDescription.sdp)

    async def offer(self, path: Path) -> str:
        """Offer to receive one video, of what the path can decode, and one audio track, with all candidates."""
        video = self._connection.addTransceiver("video", direction="recvonly")
        known = RTCRtpReceiver.getCapabilities("video")
        assert known is not None
        video.setCodecPreferences([each for each in known.codecs if decodable(each, path)])
        self._connection.addTransceiver("audio", direction="recvonly")
        await self._connection.setLocalDescription(await self._connection.createOffer())
        self._guard = guard_ports(self._connection)
        return str(self._connection.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Take the answer to `offer`. Raises what aiortc raises."""
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def add_candidate(self, candidate: RTCIceCandidate | None) -> None:
        """Take a trickled candidate; None says that there are no more."""
        await self._connection.addIceCandidate(candidate)

    def lose(self, dropped: Callable[[], bool]) -> None:
        """Lose media packets that `dropped` says, for measurements; after the description is answered."""
        lose_packets(self._connection, dropped)

    async def close(self) -> None:
        """Close, always to the end: a close that is cut off half-way would leave sockets and threads behind."""
        closing = asyncio.ensure_future(self._close())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._connection.close()
        except Exception:  # whatever aiortc raises, sockets must not outlive the session
            structlog.get_logger().exception("a connection did not close cleanly")
            await self._drop_transports()
        self.gone.set()

    async def _drop_transports(self) -> None:
        for transport in {each.receiver.transport for each in self._connection.getTransceivers()} - {None}:
            await transport.stop()
            await transport.transport.stop()

    def _state_changed(self) -> None:
        if self._connection.connectionState in DEAD:
            self.gone.set()

    def _track_came(self, track: MediaStreamTrack) -> None:
        for transceiver in self._connection.getTransceivers():
            if transceiver.receiver.track is track:
                self._on_receiver(transceiver.receiver)
