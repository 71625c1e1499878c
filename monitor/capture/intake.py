# SPDX-License-Identifier: Apache-2.0
"""The receivers of one connection in; their media, always drained into a tap, out."""

import asyncio
import time
from concurrent.futures import Executor
from typing import Final

from aiortc import MediaStreamTrack, RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

from monitor.config import CaptureSettings

from .adapter_receiver import PacketHook, Receiver, ReceiverView
from .encoded import EncodedStream
from .layers import ALL_LAYERS
from .route import Route
from .tap import Tap
from .view import StreamView

__all__ = ["Intake"]

REMB_EVERY_S: Final = 1.0


class Intake:
    """Drains the tracks of one connection: aiortc queues decoded media without limit, so somebody always must.

    `attach` is called before the connection starts (on its "track" events), `run` after. On the encoded path the video
    track stays empty, and only its end is waited for.
    """

    def __init__(self, tap: Tap, settings: CaptureSettings, pool: Executor, route: Route) -> None:
        self._tap = tap
        self._settings = settings
        self._pool = pool
        self._route = route
        self._track: MediaStreamTrack | None = None
        self._plain: ReceiverView | None = None
        self._encoded: EncodedStream | None = None
        self._receiver: Receiver | None = None
        self._audio: MediaStreamTrack | None = None
        self._first_s: float | None = None
        self._last_s = time.monotonic()

    @property
    def complete(self) -> bool:
        """Whether there is a video track."""
        return self._track is not None

    @property
    def decoded(self) -> tuple[int, float]:
        """The highest temporal layer that is decoded, and the pictures looked at per second."""
        return self._encoded.top_layer if self._encoded else ALL_LAYERS, self._tap.samples_per_s

    @property
    def flowed_s(self) -> float:
        """Seconds between the first and the last picture."""
        self._catch_up()
        return self._last_s - self._first_s if self._first_s else 0.0

    @property
    def silent_s(self) -> float:
        """Seconds since the last picture, or since the beginning."""
        self._catch_up()
        return time.monotonic() - self._last_s

    def attach(self, receiver: RTCRtpReceiver) -> None:
        """Take on a receiver that has a track but was not started yet."""
        if receiver.track.kind != "video":
            self._audio = receiver.track
            return
        self._track = receiver.track
        if self._route.choose() == "tap":
            hook = PacketHook(receiver, self._settings.gather_ms / 1000 if self._route.datagrams else None)
            self._encoded = EncodedStream(hook, self._tap, self._settings, self._pool)
            hook.pass_to(self._encoded.take)
            self._receiver = hook
        else:
            self._receiver = self._plain = ReceiverView(receiver)

    async def run(self) -> None:
        """Drain until the video track ends."""
        view: StreamView | None = self._encoded or self._plain
        if self._track is None or self._receiver is None or view is None:
            return
        self._tap.rebase(view)
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self._ask_bitrate(self._receiver), name="bitrate")]
            if self._audio is not None:
                beside.append(group.create_task(self._hear(self._audio), name="sound"))
            if self._encoded is not None:
                beside.append(group.create_task(self._encoded.run(), name="feedback"))
            await self._see(self._track)
            for task in beside:
                task.cancel()

    async def _see(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                picture = await track.recv()
            except MediaStreamError:
                return
            if isinstance(picture, VideoFrame) and self._plain is not None:
                self._flow(time.monotonic())
                self._tap.see(picture, keyframe=self._plain.was_keyframe(picture.pts))

    async def _hear(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                sound = await track.recv()
            except MediaStreamError:
                return
            if isinstance(sound, AudioFrame):
                self._tap.hear(sound)

    async def _ask_bitrate(self, receiver: Receiver) -> None:
        while True:
            await receiver.ask_bitrate(self._settings.bitrate_bps)
            await asyncio.sleep(REMB_EVERY_S)

    def _flow(self, arrived_s: float) -> None:
        self._last_s = arrived_s
        self._first_s = self._first_s or arrived_s

    def _catch_up(self) -> None:
        if self._encoded is not None and self._encoded.newest_s is not None:
            self._flow(self._encoded.newest_s)
