# SPDX-License-Identifier: Apache-2.0
"""Coded pictures of one stream in; decoded ones that were asked for, by threads that all streams share, out."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import av
from av import VideoFrame
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from monitor.values import Picture

from .picture import picture_of
from .unit import Unit

__all__ = ["BACKLOG", "DECODERS", "OLDEST_S", "Decoder", "Job"]

BACKLOG: Final = 60
"""Coded pictures that may wait: two seconds at 30 pictures/s."""

OLDEST_S: Final = 2.0
"""A picture that waited this long is not live any more."""

TURN: Final = 4
"""Pictures decoded before a thread turns to another stream."""

DECODERS: Final = {"vp8": "vp8", "h264": "h264", "vp9": "libvpx-vp9", "av1": "libdav1d"}
"""For VP8 FFmpeg's own is bit-equal to libvpx and cheaper: libvpx copies each picture once more."""
FAULTS: Final = (av.FFmpegError, ValueError, MemoryError)


@dataclass(frozen=True, slots=True)
class Job:
    """A unit to decode; only a `picked` one is converted and shown."""

    unit: Unit
    media_s: float
    picked: bool


Show = Callable[[Job, Picture], None]


class Decoder:
    """One stream's decoder: at most one thread of `pool` works on it at a time, in order.

    `show` gets each picked picture, `fail` a job that could not be decoded or converted, after which everything up to
    the next keyframe is thrown away; both are called on the event loop that `put` is called on. `decoded_s` is the
    arrival of the newest unit that was decoded.
    """

    def __init__(self, pool: Executor, show: Show, fail: Callable[[Job], None]) -> None:
        self._pool = pool
        self._show = show
        self._fail = fail
        self._jobs: deque[Job] = deque()
        self._guard = threading.Lock()
        self._busy = False
        self._closed = self._failed = False
        self._codec = ""
        self._context: VideoCodecContext | None = None
        self.decoded_s: float | None = None

    def __len__(self) -> int:
        return len(self._jobs)

    def behind(self, now_s: float) -> bool:
        """Whether so much waits that it had better be thrown away."""
        if not self._jobs:
            return False
        with self._guard:
            oldest_s = self._jobs[0].unit.arrived_s if self._jobs else now_s
        return len(self._jobs) >= BACKLOG or now_s - oldest_s > OLDEST_S

    def clear(self) -> int:
        """Throw away what waits; gives how many there were. The next unit must be a keyframe."""
        with self._guard:
            count = len(self._jobs)
            self._jobs.clear()
        return count

    def put(self, job: Job) -> None:
        """Queue a job; never waits. The caller looks after `behind`."""
        with self._guard:
            self._jobs.append(job)
            start, self._busy = not self._busy, True
        if start:
            self._submit(asyncio.get_running_loop())

    def close(self) -> None:
        """Throw away what waits and take nothing further."""
        self._closed = True
        self.clear()

    def _submit(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._pool.submit(self._turn, loop)
        except RuntimeError:  # the pool is shut down: the process ends
            self.close()

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(TURN):
            job = self._next()
            if job is None:
                return
            self._work(job, loop)
        self._submit(loop)

    def _next(self) -> Job | None:
        with self._guard:
            while self._failed and self._jobs and not self._jobs[0].unit.keyframe:
                self._jobs.popleft()
            self._busy = bool(self._jobs)
            return self._jobs.popleft() if self._jobs else None

    def _work(self, job: Job, loop: asyncio.AbstractEventLoop) -> None:
        try:
            frame = self._decoded(job.unit)
            picture = picture_of(frame) if frame is not None and job.picked else None
        except FAULTS:
            self._failed = True
            self._tell(loop, self._fail, job)
            return
        self._failed = False
        if frame is not None:
            self.decoded_s = job.unit.arrived_s
        if picture is not None:
            self._tell(loop, self._show, job, picture)

    def _tell(self, loop: asyncio.AbstractEventLoop, what: Callable[..., None], *told: object) -> None:
        if not self._closed and not loop.is_closed():
            loop.call_soon_threadsafe(what, *told)

    def _decoded(self, unit: Unit) -> VideoFrame | None:
        if self._context is None or unit.codec != self._codec:
            self._context, self._codec = _context(unit.codec), unit.codec
        frames = self._context.decode(av.Packet(unit.data))
        return frames[-1] if frames else None


def _context(codec: str) -> VideoCodecContext:
    context = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    context.flags |= Flags.low_delay
    return context
