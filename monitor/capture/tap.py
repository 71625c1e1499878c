# SPDX-License-Identifier: Apache-2.0
"""Decoded media of one live participant in; sampled frames, stalls and recent sound out."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import av
import structlog
from av import AudioFrame, VideoFrame

from monitor.config import CaptureSettings
from monitor.values import AudioChunk, Frame, Media, Stall, StreamFacts

from .adapter import ReceiverView
from .cell import Cell
from .clock import MediaClock
from .feed import FeedCounts
from .picture import picture_of
from .sampler import Sampler
from .sound import SoundRing
from .stamps import StampCounts

__all__ = ["Tap"]

STALL_EVERY_S: Final = 1.0
"""A silence is told again at this interval for as long as it lasts."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A decoded picture that was picked, and what was known when it came."""

    picture: VideoFrame
    media_s: float
    arrived_s: float


class Tap:
    """Feed of a live participant: takes everything that comes, hands out the newest sampled picture.

    Only picked pictures are converted, on `pool`, and only when somebody reads. A tap outlives a connection:
    after `rebase` the media of the next one follow on, and media time goes on. It ends with `close`, or by
    itself after `end_after_s` of silence. `now` is monotonic seconds.
    """

    def __init__(
        self,
        call: str,
        participant: str,
        settings: CaptureSettings,
        pool: Executor,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.call = call
        self.participant = participant
        self._settings = settings
        self._pool = pool
        self._now = now
        self._log = structlog.get_logger().bind(call=call, participant=participant)
        self._cell: Cell[Sample] = Cell()
        self._clock = MediaClock()
        self._stamps = StampCounts()
        self._sampler = Sampler(settings.samples_per_s)
        self._sound = SoundRing(call, participant)
        self._view: ReceiverView | None = None
        self._told_bytes = self._told_lost = 0
        self._came_s = now()
        self._told_stall_s: float | None = None
        self._first_s: float | None = None
        self._received = self._failed = self._yielded = self._stalls = self._discarded = 0
        self.begun = asyncio.Event()

    @property
    def samples_per_s(self) -> float:
        """Frames picked per media second."""
        return self._sampler.per_s

    @samples_per_s.setter
    def samples_per_s(self, per_s: float) -> None:
        self._sampler.per_s = per_s

    @property
    def closed(self) -> bool:
        """Whether nothing further is taken."""
        return self._cell.closed

    @property
    def counts(self) -> FeedCounts:
        """Counters so far."""
        view = self._view
        return FeedCounts(
            received=self._received,
            sampled=self._cell.put_count,
            dropped=self._cell.replaced_count,
            failed=self._failed,
            yielded=self._yielded,
            discarded=self._discarded + (view.dropped_count if view else 0),
            breaks=self._clock.breaks,
            stalls=self._stalls,
            sounds=self._sound.received_count,
            waiting=view.backlog + view.undelivered if view else 0,
        )

    def rebase(self, view: ReceiverView) -> None:
        """Follow the media of a new connection, whose facts `view` tells."""
        self._discarded += self._view.dropped_count if self._view else 0
        self._view, self._told_bytes, self._told_lost = view, 0, 0
        self._clock.rebase()
        self._stamps.rebase()
        self._sound.rebase()

    def see(self, picture: VideoFrame) -> None:
        """Take a decoded picture as it comes."""
        self._received += 1
        self._came_s, self._told_stall_s = self._now(), None
        self.begun.set()
        stamp_s = 0.0 if picture.time is None else picture.time
        if picture.pts is not None:
            self._stamps.see(picture.pts)
        media_s = self._clock.at(stamp_s, self._came_s, self._since_first(self._came_s))
        if self._sampler.pick(media_s):
            self._cell.put(Sample(picture, media_s, self._came_s))

    def hear(self, sound: AudioFrame) -> None:
        """Take decoded sound as it comes."""
        arrived_s = self._now()
        self._sound.add(sound, arrived_s, self._since_first(arrived_s))

    def heard(self, seconds: float) -> tuple[AudioChunk, ...]:
        """The newest `seconds` of sound, 16 kHz mono, oldest chunk first."""
        return self._sound.last(seconds)

    async def media(self) -> AsyncIterator[Media]:
        """Sampled frames and stalls until the participant is gone; to be iterated once."""
        while self._until_end_s() > 0:
            sample = await self._cell.take(min(self._until_stall_s(), self._until_end_s()))
            if sample is not None:
                frame = await self._convert(sample)
                if frame is not None:
                    self._yielded += 1
                    yield frame
            elif self._cell.closed:
                return
            elif self._until_stall_s() <= 0:
                yield self._stall()
        self._log.info("participant is silent for too long", silent_s=self._settings.end_after_s)

    async def close(self) -> None:
        """Take nothing further; `media` finishes with what waits."""
        self.begun.set()
        self._cell.close()

    def _since_first(self, arrived_s: float) -> float:
        self._first_s = arrived_s if self._first_s is None else self._first_s
        return arrived_s - self._first_s

    def _until_end_s(self) -> float:
        return max(0.0, self._came_s + self._settings.end_after_s - self._now())

    def _until_stall_s(self) -> float:
        told_s = self._told_stall_s
        next_s = self._came_s + self._settings.stall_after_s if told_s is None else told_s + STALL_EVERY_S
        return max(0.0, next_s - self._now())

    def _stall(self) -> Stall:
        now_s = self._now()
        if self._told_stall_s is None:
            self._stalls += 1
            self._log.info("participant stalled")
        self._told_stall_s = now_s
        return Stall(self.call, self.participant, self._came_s, now_s)

    async def _convert(self, sample: Sample) -> Frame | None:
        loop = asyncio.get_running_loop()
        try:
            picture = await loop.run_in_executor(self._pool, picture_of, sample.picture)
        except (av.FFmpegError, ValueError) as error:
            self._failed += 1
            if self._failed == 1:
                self._log.warning("a picture could not be converted", error=str(error))
            return None
        facts = self._facts(sample.picture)
        return Frame(self.call, self.participant, sample.media_s, sample.arrived_s, picture, facts)

    def _facts(self, picture: VideoFrame) -> StreamFacts:
        if self._view is None:
            return StreamFacts(keyframe=picture.key_frame, stamps=self._stamps.take())
        received, lost = self._view.received_bytes, self._view.lost_packets
        facts = StreamFacts(
            codec=self._view.codec,
            keyframe=self._view.was_keyframe(picture.pts),
            lost_packets=max(0, lost - self._told_lost),
            received_bytes=received - self._told_bytes,
            stamps=self._stamps.take(),
        )
        self._told_bytes, self._told_lost = received, max(lost, self._told_lost)
        return facts
