# SPDX-License-Identifier: Apache-2.0
"""Callers and servers for tests: synthetic tracks, a WHIP publisher, an HTTP server on a free loopback port."""

import asyncio
import contextlib
import fractions
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import aiohttp
import av
import numpy as np
import uvicorn
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from av import AudioFrame, VideoFrame
from fastapi import FastAPI
from yarl import URL

from monitor.capture.feed import Feed
from monitor.capture.whip import WhipServer
from monitor.config import CaptureSettings, Settings, WhipSettings
from monitor.values import Frame, Media, Stall
from tests.fakes.clips import pattern

__all__ = [
    "TOKEN",
    "Encoded",
    "Pattern",
    "Publisher",
    "Tone",
    "Watcher",
    "serving",
    "until",
    "whip_server",
]

RATE: Final = 90_000
TOKEN: Final = "a token for tests"


class Pattern(MediaStreamTrack):
    """A synthetic camera: `size` may be changed and `playing` cleared while it runs; ends after `seconds`."""

    kind = "video"

    def __init__(self, width: int = 320, height: int = 240, fps: float = 30, seconds: float = 1e9) -> None:
        super().__init__()
        self.size = (width, height)
        self.fps = fps
        self.playing = asyncio.Event()
        self.playing.set()
        self._seconds = seconds
        self._began = time.monotonic()
        self._step = 0

    async def recv(self) -> VideoFrame:
        await self.playing.wait()
        elapsed = time.monotonic() - self._began
        self._step = max(self._step + 1, int(elapsed * self.fps))
        at = self._step / self.fps
        await asyncio.sleep(max(0.0, at - elapsed))
        if at > self._seconds:
            self.stop()
            raise av.EOFError(0, "the pattern is over")
        picture = pattern(*self.size, self._step)
        picture.pts, picture.time_base = int(at * RATE), fractions.Fraction(1, RATE)
        return picture


class Tone(MediaStreamTrack):
    """A synthetic microphone: a 440 Hz tone, 48 kHz mono in 20 ms frames."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()
        self._samples = 0

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(max(0.0, self._samples / 48_000 - (time.monotonic() - self._began)))
        times = (np.arange(960) + self._samples) / 48_000
        wave = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
        sound = AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = 48_000, self._samples, fractions.Fraction(1, 48_000)
        self._samples += 960
        return sound


class Encoded(MediaStreamTrack):
    """A track of packets that are encoded already, played in a loop at 30 a second; aiortc passes them through."""

    kind = "video"

    def __init__(self, packets: Sequence[av.Packet]) -> None:
        super().__init__()
        self._data = [bytes(each) for each in packets]
        self._began = time.monotonic()
        self._step = 0

    async def recv(self) -> av.Packet:
        await asyncio.sleep(max(0.0, self._step / 30 - (time.monotonic() - self._began)))
        packet = av.Packet(self._data[self._step % len(self._data)])
        packet.pts, packet.time_base = self._step, fractions.Fraction(1, 30)
        self._step += 1
        return packet


class Publisher:
    """A WHIP publisher: an async context manager that offers its tracks and leaves with DELETE.

    `codecs` narrows the video codecs offered, each a mime type or a profile-level-id. `status`, `headers` and `answer`
    are those of the POST; a refused offer leaves `connection` unconnected.
    """

    def __init__(
        self,
        url: str,
        tracks: Sequence[MediaStreamTrack],
        codecs: Sequence[str] = (),
        token: str = TOKEN,
        *,
        trickle: bool = False,
    ) -> None:
        self.url = url
        self.offer = ""
        self._trickle = trickle
        self.token = token
        self.status = 0
        self.answer = ""
        self.headers: Mapping[str, str] = {}
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for track in tracks:
            self.connection.addTransceiver(track, direction="sendonly")
        self._prefer(codecs)
        self._http = aiohttp.ClientSession()

    def _prefer(self, codecs: Sequence[str]) -> None:
        for transceiver in self.connection.getTransceivers():
            known = RTCRtpSender.getCapabilities(transceiver.kind).codecs
            wanted = [
                each for each in known if each.mimeType in codecs or each.parameters.get("profile-level-id") in codecs
            ]
            if wanted and transceiver.kind == "video":
                rtx = [each for each in known if each.mimeType == "video/rtx"]
                transceiver.setCodecPreferences(wanted + rtx)

    async def __aenter__(self) -> "Publisher":
        await self.connection.setLocalDescription(await self.connection.createOffer())
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/sdp"}
        self.offer = self.connection.localDescription.sdp
        if self._trickle:
            self.offer = re.sub(r"a=(candidate|end-of-candidates).*\r\n", "", self.offer)
        async with self._http.post(self.url, data=self.offer, headers=headers) as response:
            self.status = response.status
            self.headers = response.headers
            self.answer = await response.text()
        if self.status == 201:
            await self.connection.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()
        await self.connection.close()
        await self._http.close()

    @property
    def location(self) -> str:
        """Absolute URL of the session."""
        return str(URL(self.url).join(URL(self.headers["Location"])))

    async def trickle(self) -> None:
        """Send the candidates that the offer left out."""
        lines = self.connection.localDescription.sdp.split("\r\n")
        kept = [line for line in lines if line.startswith(("a=ice-ufrag", "a=candidate", "a=end-of-candidates"))]
        fragment = "\r\n".join([kept.pop(), "m=video 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", *kept]) + "\r\n"
        headers = {"Authorization": f"Bearer {self.token}", "If-Match": self.headers["ETag"]}
        headers["Content-Type"] = "application/trickle-ice-sdpfrag"
        async with self._http.patch(self.location, data=fragment, headers=headers) as response:
            response.raise_for_status()

    async def leave(self) -> None:
        """Send DELETE; harmless when the session is over."""
        if self.status == 201:
            async with self._http.delete(self.location, headers={"Authorization": f"Bearer {self.token}"}):
                self.status = 0


class LoopbackServer(uvicorn.Server):
    """uvicorn that leaves the signals of the test process alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: Callable[..., object]) -> AsyncIterator[str]:
    """Serve an ASGI app on a free loopback port; gives its base URL."""
    config = uvicorn.Config(app, "127.0.0.1", 0, log_level="warning", lifespan="off", ws="none")
    server = LoopbackServer(config)
    task = asyncio.create_task(server.serve(), name="http")
    while not server.started and not task.done():  # noqa: ASYNC110  # uvicorn has no event to wait for
        await asyncio.sleep(0.01)  # uvicorn has no event to wait for
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


class Watcher:
    """An `admit` that keeps all it is handed, by participant; `ended` lists who is gone, in order."""

    def __init__(self) -> None:
        self.feeds: dict[str, list[Feed]] = {}
        self.media: dict[str, list[Media]] = {}
        self.ended: list[str] = []
        self.fail_for: set[str] = set()
        self.ignore: set[str] = set()

    async def admit(self, feed: Feed) -> None:
        """Read a feed to its end."""
        who = feed.participant
        self.feeds.setdefault(who, []).append(feed)
        try:
            if who in self.ignore:
                await asyncio.sleep(3600)
            async for item in feed.media():
                self.media.setdefault(who, []).append(item)
                if who in self.fail_for:
                    raise RuntimeError("scripted failure of the pipeline")
        finally:
            self.ended.append(who)

    def frames(self, who: str) -> list[Frame]:
        """Frames seen so far."""
        return [each for each in self.media.get(who, []) if isinstance(each, Frame)]

    def stalls(self, who: str) -> list[Stall]:
        """Stalls seen so far."""
        return [each for each in self.media.get(who, []) if isinstance(each, Stall)]

    async def more(self, who: str, count: int) -> list[Frame]:
        """Wait for `count` further frames and give them."""
        before = len(self.frames(who))
        await until(lambda: len(self.frames(who)) >= before + count)
        return self.frames(who)[before:]


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until something is true; TimeoutError when it never is."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # conditions of all kinds
            await asyncio.sleep(0.02)  # conditions of all kinds


@contextlib.asynccontextmanager
async def whip_server(
    watcher: Watcher, whip: dict[str, Any] | None = None, **capture: Any
) -> AsyncIterator[tuple[WhipServer, str]]:
    """A real WHIP server on loopback that samples 10 frames/s; gives it and the URL of its /whip."""
    settings = Settings(
        whip=WhipSettings(**{"tokens": (TOKEN,), **(whip or {})}),
        capture=CaptureSettings(**{"samples_per_s": 10, **capture}),
    )
    app = FastAPI()
    async with WhipServer(settings, watcher.admit) as server:
        app.include_router(server.router)
        async with serving(app) as url:
            yield server, f"{url}/whip"
