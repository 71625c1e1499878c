# SPDX-License-Identifier: Apache-2.0
"""The program that one would write first: frames of `track.recv()` in, verdicts as JSON over MQTT out."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import aiomqtt
import numpy as np
from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame
from numpy.typing import NDArray

from monitor import assets
from monitor.bench.probe import Counts
from monitor.capture.adapter import prepare
from monitor.config import Settings
from monitor.faces.boxes import box_of
from monitor.faces.crop import place, render, to_crop
from monitor.faces.landmarker import Landmarker, shared
from monitor.faces.quality import assess
from monitor.liveness.engine import Engine
from monitor.publish.broker import EmbeddedBroker
from monitor.publish.topics import Topics
from monitor.values import Evidence, FaceCrop, Frame, Landmarks, Picture

__all__ = ["PlainLoop", "open_plain"]


class PlainLoop:
    """Takes every frame, and looks at some with MediaPipe's landmarker and Lifesign's network; publishes what they say.

    It leaves out the tap, tracks, smoothing, newest-wins, batching deadlines, cues, policy, outbox and retained
    verdicts. The blocking work runs in threads all the same: inside the coroutine it would starve the network.
    """

    def __init__(
        self,
        samples_per_s: float,
        landmarker: Landmarker,
        engine: Engine,
        client: aiomqtt.Client,
        group: asyncio.TaskGroup,
    ) -> None:
        self._samples_per_s = samples_per_s
        self._landmarker = landmarker
        self._engine = engine
        self._client = client
        self._group = group
        self._topics = Topics("lifesign/v1")
        self._threads = ThreadPoolExecutor(2, "faces")
        self._received = self._looked = 0
        self._converted_s = 0.0
        self.connections: list[RTCPeerConnection] = []

    def close(self) -> None:
        """End the threads; looks under way finish first."""
        self._threads.shutdown(cancel_futures=True)

    @property
    def counts(self) -> Counts:
        """A frame counts as received when the loop takes it: what waits before it is the lag."""
        engine = self._engine.counts
        return Counts(self._received, self._looked, engine.crops, self._converted_s, engine.cues_s)

    async def join(self, request: web.Request) -> web.Response:
        """Answer an offer as a WHIP endpoint does."""
        call, participant = request.match_info["call"], request.match_info["participant"]
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connections.append(connection)
        connection.on("track", lambda track: self._group.create_task(self._watch(track, call, participant)))
        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        answer = connection.localDescription.sdp
        return web.Response(status=201, text=answer, content_type="application/sdp")

    async def _watch(self, track: MediaStreamTrack, call: str, participant: str) -> None:
        next_s = 0.0
        while True:
            try:
                picture = await track.recv()
            except MediaStreamError:
                return
            self._received += 1
            if isinstance(picture, VideoFrame) and (media_s := picture.time or 0.0) >= next_s:
                next_s += 1 / self._samples_per_s
                await self._judge(picture, media_s, call, participant)

    async def _judge(self, picture: VideoFrame, media_s: float, call: str, participant: str) -> None:
        began_s = time.thread_time()
        rgb: NDArray[np.uint8] = picture.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
        i420: NDArray[np.uint8] = picture.to_ndarray().astype(np.uint8, copy=False)
        self._converted_s += time.thread_time() - began_s
        self._looked += 1
        found = await asyncio.get_running_loop().run_in_executor(self._threads, self._landmarker.find, rgb)
        frame = Frame(call, participant, media_s, time.monotonic(), Picture(i420))
        evidence = await self._engine.judge([_crop(frame, face, self._engine.crop_px) for face in found[:1]])
        topic = self._topics.verdict(call, participant)
        await self._client.publish(topic, _verdict(frame, evidence), qos=1)


def _crop(frame: Frame, face: Landmarks, side_px: int) -> FaceCrop:
    matrix = to_crop(place(face.points), side_px)
    rgb = render(frame.picture, matrix, side_px)
    size = frame.picture.width_px, frame.picture.height_px
    quality = assess(rgb, matrix, face, size, 1)
    return FaceCrop(
        frame.call, frame.participant, 1, frame.media_s, rgb, box_of(face.points), matrix, quality, landmarks=face
    )


def _verdict(frame: Frame, evidence: tuple[Evidence, ...]) -> str:
    scores = [each.score for each in evidence if each.score is not None]
    return json.dumps({"data": {"participant": frame.participant, "media_s": frame.media_s, "scores": scores}})


async def open_plain(stack: AsyncExitStack, settings: Settings) -> tuple[PlainLoop, str, int]:
    """Start everything on `stack`; gives the loop, its base URL and the port of its broker (MQTT 5)."""
    prepare()
    broker = EmbeddedBroker(settings.mqtt)
    await broker.start()
    stack.push_async_callback(broker.stop)
    at_once = settings.liveness.model_copy(update={"batch_deadline_ms": 0.0, "cues": ()})
    engine = await stack.enter_async_context(Engine(at_once))
    landmarker = shared(assets.path("face_landmarker"), settings.faces.max_faces)
    client = aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5)
    await stack.enter_async_context(client)
    group = await stack.enter_async_context(asyncio.TaskGroup())
    loop = PlainLoop(settings.capture.samples_per_s, landmarker, engine, client, group)
    stack.callback(loop.close)
    stack.push_async_callback(_hang_up, loop)
    return loop, await _serve(stack, loop), broker.port


async def _serve(stack: AsyncExitStack, loop: PlainLoop) -> str:
    app = web.Application()
    app.router.add_post("/whip/{call}/{participant}", loop.join)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _hang_up(loop: PlainLoop) -> None:
    await asyncio.gather(*(connection.close() for connection in loop.connections))
