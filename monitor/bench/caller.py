# SPDX-License-Identifier: Apache-2.0
"""A clip in; the same, encoded, at 30 frames/s, and a process that sends it, encoded once, as many callers.

First line in: a `Job`. Line out: `{"began_s"}`, the monotonic time at which the first frame of each participant was
due. At the end of the input the callers leave, and `{"late_p99_s"}` goes out.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from av.filter import Graph
from av.stream import Stream

from monitor.bench.layers import LAYERED, PERIOD
from monitor.bench.packing import send_coded
from monitor.bench.probe import FPS, percentile
from monitor.capture.adapter import prepare
from monitor.capture.signalling import post_offer, session_http

__all__ = ["Caller", "encode", "main", "read"]

WIDTH_PX: Final = 640
HEIGHT_PX: Final = 480
BITS_PER_S: Final = 1_000_000
KEYFRAME_EVERY: Final = 2 * FPS
REALTIME: Final = {"deadline": "realtime", "cpu-used": "6", "lag-in-frames": "0", "auto-alt-ref": "0"}
TIMEOUT_S: Final = 30.0
SETTLE_S: Final = 1.0
"""Both ends have finished the DTLS handshake by then: a packet before would be lost, and it is the keyframe."""

BASELINE: Final = {"profile": "baseline", "preset": "veryfast", "tune": "zerolatency", "level": "31"}
IN_LAYERS: Final = {"preset": "12", "svtav1-params": "pred-struct=1:lp=1:rc=2:hierarchical-levels=2"}
ENCODERS: Final = {
    "vp8": ("libvpx", "ivf", REALTIME),
    "h264": ("libx264", "h264", BASELINE),
    "vp9": ("libvpx-vp9", "ivf", REALTIME | {"cpu-used": "8"}),
    "av1": ("libsvtav1", "ivf", IN_LAYERS),
}
"""Encoder, file format and options by codec. SVT-AV1 makes three temporal layers whatever is asked for."""

QUIET: Final = ("SVT_LOG", "1")
"""SVT-AV1 tells of itself on stderr unless asked for errors alone."""

LAYERS: Final = {"vp8": LAYERED, "vp9": LAYERED}
"""More options for temporal layers."""


def encode(
    source: Path,
    target: Path,
    size: tuple[int, int] = (WIDTH_PX, HEIGHT_PX),
    *,
    codec: str = "vp8",
    layered: bool = False,
    per_s: int = FPS,
) -> None:
    """Encode the middle of a clip's pictures into a file of about 1 Mbit/s, a keyframe every 60 pictures.

    `size` is width and height in pixels, `per_s` pictures a second; `layered` ones have three temporal layers.
    """
    os.environ.setdefault(*QUIET)
    encoder, form, options = ENCODERS[codec]
    with av.open(str(source)) as film, av.open(str(target), "w", format=form) as out:
        stream = out.add_stream(encoder, rate=per_s, options=options | (LAYERS.get(codec, {}) if layered else {}))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.bit_rate, stream.gop_size = BITS_PER_S, KEYFRAME_EVERY
        stream.codec_context.thread_count = 1  # the threads of libvpx spin while they wait for each other
        graph = _graph(film.streams.video[0], *size, per_s)
        for frame in (*film.decode(video=0), None):
            graph.push(frame)
            for picture in _pulled(graph):
                out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def _graph(stream: av.VideoStream, width: int, height: int, per_s: int) -> Graph:
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(template=stream),
        graph.add("fps", str(per_s)),
        graph.add("crop", f"min(iw\\,ih*{width}/{height}):min(ih\\,iw*{height}/{width})"),
        graph.add("scale", f"{width}:{height}"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _pulled(graph: Graph) -> list[av.VideoFrame]:
    pictures: list[av.VideoFrame] = []
    while True:
        try:
            picture = graph.pull()
        except (BlockingIOError, EOFError):
            return pictures
        if isinstance(picture, av.VideoFrame):
            picture.pts, picture.pict_type = None, av.video.frame.PictureType.NONE
            pictures.append(picture)


def read(clip: Path, period: int = 1) -> list[bytes]:
    """The encoded pictures of a file, in order; whole periods of its layers, so that it can be looped."""
    with av.open(str(clip)) as film:
        pictures = [bytes(packet) for packet in film.demux(video=0) if packet.size]
    return pictures[: len(pictures) // period * period]


class Caller(MediaStreamTrack):
    """A camera whose pictures are encoded already: aiortc passes packets through. Loops without a seam.

    Nothing comes before `begin`; `late_s` are the delays of frames against their time.
    """

    kind = "video"

    def __init__(self, pictures: Sequence[bytes], per_s: int = FPS) -> None:
        super().__init__()
        self._pictures = pictures
        self._per_s = per_s
        self._begun = asyncio.Event()
        self._step = 0
        self.began_s = 0.0
        self.late_s: list[float] = []

    def begin(self, at_s: float) -> None:
        """Make the first frame due at `at_s`, monotonic."""
        self.began_s = at_s
        self._begun.set()

    async def recv(self) -> "av.Packet[Stream]":
        """The next picture when its time has come."""
        await self._begun.wait()
        due_s = self.began_s + self._step / self._per_s
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        self.late_s.append(time.monotonic() - due_s)
        packet = av.Packet(self._pictures[self._step % len(self._pictures)])
        packet.pts, packet.time_base = self._step, Fraction(1, self._per_s)
        self._step += 1
        return packet


async def _join(caller: Caller, codec: str, url: str, token: str) -> RTCPeerConnection:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connected = asyncio.Event()

    def changed() -> None:
        if connection.connectionState == "connected":
            connected.set()

    connection.on("connectionstatechange", changed)
    transceiver = connection.addTransceiver(caller, direction="sendonly")
    known, wanted = RTCRtpSender.getCapabilities("video").codecs, {f"video/{codec}", "video/rtx"}
    transceiver.setCodecPreferences([each for each in known if each.mimeType.lower() in wanted])
    await connection.setLocalDescription(await connection.createOffer())
    async with session_http(token, TIMEOUT_S) as http:
        agreed = await post_offer(http, url, connection.localDescription.sdp)
    await connection.setRemoteDescription(RTCSessionDescription(agreed.answer, "answer"))
    async with asyncio.timeout(TIMEOUT_S):
        await connected.wait()
    return connection


def _begin(callers: Mapping[str, Caller], per_s: int) -> dict[str, float]:
    """Begin all, evenly shifted within one frame's time: independent cameras do not shoot at one moment."""
    now_s = time.monotonic()
    for index, caller in enumerate(callers.values()):
        caller.begin(now_s + index / len(callers) / per_s)
    return {who: caller.began_s for who, caller in callers.items()}


@dataclass(frozen=True, slots=True)
class Job:
    """What to send where: a film, in temporal layers or not, `per_s` pictures a second, by `streams` callers."""

    clip: str
    url: str
    token: str
    streams: int
    codec: str = "vp8"
    layered: bool = False
    per_s: int = FPS


async def _run(job: Job) -> None:
    prepare()
    pictures = await asyncio.to_thread(read, Path(job.clip), PERIOD if job.layered else 1)
    callers = {f"caller-{index}": Caller(pictures, job.per_s) for index in range(1, job.streams + 1)}
    url = f"{job.url}/whip/bench"
    connections = [await _join(caller, job.codec, f"{url}/{who}", job.token) for who, caller in callers.items()]
    await asyncio.sleep(SETTLE_S)
    _say({"began_s": _begin(callers, job.per_s)})
    await asyncio.to_thread(sys.stdin.readline)
    late_s = [seconds for caller in callers.values() for seconds in caller.late_s]
    _say({"late_p99_s": percentile(late_s, 0.99)})
    await asyncio.gather(*(connection.close() for connection in connections))


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Entry of the process."""
    job = Job(**json.loads(sys.stdin.readline()))
    send_coded(layered=job.layered)
    asyncio.run(_run(job))


if __name__ == "__main__":
    main()
