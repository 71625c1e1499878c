# SPDX-License-Identifier: Apache-2.0
"""A path's name on stdin in; callers are received on it, and marks of what that cost go out, one per line asked.

First line in: `{"path", "samples_per_s"}`, path "loop" (`track.recv()` and `to_ndarray()`), "plain" or "tap". First
line out: `{"url"}`. Each further line is answered with a mark; the end of the input ends the program.
"""

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import asdict

from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from monitor import logs
from monitor.bench.probe import Counts, Probe
from monitor.capture.adapter import prepare
from monitor.capture.intake import Intake
from monitor.capture.peer import Peer
from monitor.capture.route import Route
from monitor.capture.tap import Tap
from monitor.config import CaptureSettings, LogSettings

__all__ = ["main"]


class Loop:
    """The program that one would write first: every picture of a track as an array."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._connections: list[RTCPeerConnection] = []
        self.received = 0

    async def join(self, offer: str) -> str:
        """Answer an offer."""
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connections.append(connection)
        connection.on("track", lambda track: self._group.create_task(self._watch(track)))
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)

    async def close(self) -> None:
        """Hang up; the tracks end with it."""
        await asyncio.gather(*(connection.close() for connection in self._connections))

    async def _watch(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                picture = await track.recv()
            except MediaStreamError:
                return
            if isinstance(picture, VideoFrame):
                picture.to_ndarray()
                self.received += 1


class Taps:
    """Lifesign's capture alone: sampled frames are taken and let go."""

    def __init__(self, group: asyncio.TaskGroup, settings: CaptureSettings, pool: ThreadPoolExecutor) -> None:
        self._group = group
        self._settings = settings
        self._pool = pool
        self._taps: list[Tap] = []
        self._peers: list[Peer] = []

    @property
    def received(self) -> int:
        """Pictures that came."""
        return sum(tap.counts.received for tap in self._taps)

    async def join(self, offer: str) -> str:
        """Answer an offer."""
        tap = Tap("bench", "receive", self._settings, self._pool)
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
        async for _ in tap.media():
            pass


async def _run(path: str, samples_per_s: float) -> None:
    prepare()
    async with AsyncExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(1, "capture"))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        settings = CaptureSettings(path="tap" if path == "tap" else "plain", samples_per_s=samples_per_s)
        subject = Loop(group) if path == "loop" else Taps(group, settings, pool)
        url = await _serve(stack, subject)
        probe = Probe(lambda: Counts(subject.received, 0, 0))
        _say({"url": url})
        while await asyncio.to_thread(sys.stdin.readline):
            _say(asdict(probe.mark()))
        await subject.close()


async def _serve(stack: AsyncExitStack, subject: Loop | Taps) -> str:
    async def join(request: web.Request) -> web.Response:
        answer = await subject.join(await request.text())
        return web.Response(status=201, text=answer, content_type="application/sdp")

    app = web.Application()
    app.router.add_post("/whip/{call}/{participant}", join)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Entry of the process."""
    logs.configure(LogSettings(level="error"))
    job = json.loads(sys.stdin.readline())
    asyncio.run(_run(job["path"], job["samples_per_s"]))


if __name__ == "__main__":
    main()
