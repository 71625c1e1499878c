# SPDX-License-Identifier: Apache-2.0
"""The program that one would write first: every frame of `track.recv()` in, a verdict as JSON over MQTT out."""

import asyncio
import json
import time
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
from monitor.finders import Finders, Look
from monitor.liveness.engine import Engine
from monitor.publish.broker import EmbeddedBroker
from monitor.publish.topics import Topics
from monitor.values import Evidence, Frame, Picture

__all__ = ["PlainLoop", "open_plain"]


class PlainLoop:
    """Looks at every frame with Lifesign's own face finder and detector, and publishes what each one says.

    It leaves out sampling, newest-wins, batching deadlines, policy, outbox and retained verdicts. The blocking work
    runs in threads all the same: inside the coroutine it would starve the network.
    """

    def __init__(self, finders: Finders, engine: Engine, client: aiomqtt.Client, group: asyncio.TaskGroup) -> None:
        self._finders = finders
        self._engine = engine
        self._client = client
        self._group = group
        self._topics = Topics("lifesign/v1")
        self._looked = 0
        self._converted_s = 0.0
        self.connections: list[RTCPeerConnection] = []

    @property
    def counts(self) -> Counts:
        """A frame counts as received when the loop takes it: what waits before it is the lag."""
        engine = self._engine.counts
        return Counts(self._looked, self._looked, engine.crops, self._converted_s, engine.cues_s)

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
        async with self._finders.open(call, participant) as look:
            while True:
                try:
                    picture = await track.recv()
                except MediaStreamError:
                    return
                if isinstance(picture, VideoFrame):
                    frame = self._frame(picture, call, participant)
                    await self._judge(frame, look)

    def _frame(self, picture: VideoFrame, call: str, participant: str) -> Frame:
        began_s = time.thread_time()
        i420: NDArray[np.uint8] = picture.to_ndarray().astype(np.uint8, copy=False)
        self._converted_s += time.thread_time() - began_s
        self._looked += 1
        return Frame(call, participant, picture.time or 0.0, time.monotonic(), Picture(i420))

    async def _judge(self, frame: Frame, look: Look) -> None:
        seen = await look(frame)
        evidence = await self._engine.judge([crop for crop in seen.crops if crop.quality.judgeable])
        topic = self._topics.verdict(frame.call, frame.participant)
        await self._client.publish(topic, _verdict(frame, evidence), qos=1)


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
    finders = Finders(settings.faces, assets.path("face_landmarker"), engine.crop_px, surroundings=engine.surroundings)
    stack.callback(finders.close)
    client = aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5)
    await stack.enter_async_context(client)
    group = await stack.enter_async_context(asyncio.TaskGroup())
    loop = PlainLoop(finders, engine, client, group)
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
