# SPDX-License-Identifier: Apache-2.0
"""The receivers of one connection in; their tracks, always drained into a tap, out."""

import asyncio
import time
from typing import Final

from aiortc import MediaStreamTrack, RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

from .adapter import ReceiverView
from .tap import Tap

__all__ = ["Intake"]

REMB_EVERY_S: Final = 1.0


class Intake:
    """Drains the tracks of one connection: aiortc queues decoded media without limit, so somebody always must.

    `attach` is called before the connection starts (on its "track" events), `run` after.
    """

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._video: tuple[MediaStreamTrack, ReceiverView] | None = None
        self._audio: MediaStreamTrack | None = None
        self._first_s: float | None = None
        self._last_s = time.monotonic()

    @property
    def complete(self) -> bool:
        """Whether there is a video track."""
        return self._video is not None

    @property
    def flowed_s(self) -> float:
        """Seconds between the first and the last picture."""
        return self._last_s - self._first_s if self._first_s else 0.0

    @property
    def silent_s(self) -> float:
        """Seconds since the last picture, or since the beginning."""
        return time.monotonic() - self._last_s

    def attach(self, receiver: RTCRtpReceiver) -> None:
        """Take on a receiver that has a track but was not started yet."""
        if receiver.track.kind == "video":
            self._video = (receiver.track, ReceiverView(receiver))
        else:
            self._audio = receiver.track

    async def run(self) -> None:
        """Drain until the video track ends."""
        if self._video is None:
            return
        track, view = self._video
        self._tap.rebase(view)
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self._ask_bitrate(view), name="bitrate")]
            if self._audio is not None:
                beside.append(group.create_task(self._hear(self._audio), name="sound"))
            await self._see(track)
            for task in beside:
                task.cancel()

    async def _see(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                picture = await track.recv()
            except MediaStreamError:
                return
            if isinstance(picture, VideoFrame):
                self._last_s = time.monotonic()
                self._first_s = self._first_s or self._last_s
                self._tap.see(picture)

    async def _hear(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                sound = await track.recv()
            except MediaStreamError:
                return
            if isinstance(sound, AudioFrame):
                self._tap.hear(sound)

    async def _ask_bitrate(self, view: ReceiverView) -> None:
        while True:
            await view.ask_bitrate()
            await asyncio.sleep(REMB_EVERY_S)
