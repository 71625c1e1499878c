# SPDX-License-Identifier: Apache-2.0
"""Media of one live participant in; sampled frames, stalls and recent sound out."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Final

import av
import structlog
from av import AudioFrame, VideoFrame

from monitor.config import CaptureSettings
from monitor.values import AudioChunk, Frame, Media, Picture, Stall, StreamFacts

from .cell import Cell
from .clock import MediaClock
from .feed import FeedCounts
from .picture import picture_of
from .sampler import Sampler
from .sound import SoundRing
from .spread import wait_s
from .stamps import StampCounts
from .ticks import VIDEO_HZ
from .view import StreamView

__all__ = ["Sample", "Tap"]

STALL_EVERY_S: Final = 1.0
"""A silence is told again at this interval for as long as it lasts."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A decoded picture that was picked, converted or not, and what was known when it came."""

    picture: VideoFrame | Picture
    media_s: float
    arrived_s: float
    keyframe: bool = False
    layer: int | None = None


class Tap:
    """Feed of a live participant: takes everything that comes, hands out the newest sampled picture.

    Decoded pictures come by `see`, and only picked ones are converted, on `pool`, when somebody reads. What is encoded
    comes by `note`, `count` and `pick`, before it is decoded, and then by `show` or `fail`. A tap outlives a
    connection: after `rebase` the media of the next one follow on, and media time goes on. It ends with `close`, or
    by itself after `end_after_s` of silence. `now` is monotonic seconds; looks fall due at `place` 0..1 of the period
    of the sampling rate by that clock, or from the first picture on when None.
    """

    def __init__(
        self,
        call: str,
        participant: str,
        settings: CaptureSettings,
        pool: Executor,
        now: Callable[[], float] = time.monotonic,
        *,
        place: float | None = None,
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
        self._place = place
        self._sound = SoundRing(call, participant)
        self._view: StreamView | None = None
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
            waiting=view.waiting if view else 0,
            waiting_packets=view.waiting_packets if view else 0,
        )

    def rebase(self, view: StreamView) -> None:
        """Follow the media of a new connection, whose facts `view` tells."""
        self._discarded += self._view.dropped_count if self._view else 0
        self._view, self._told_bytes, self._told_lost = view, 0, 0
        self._clock.rebase()
        self._stamps.rebase()
        self._sound.rebase()

    def see(self, picture: VideoFrame, *, keyframe: bool = False) -> None:
        """Take a decoded picture as it comes; `keyframe` says how it was sent."""
        arrived_s = self._now()
        self._hear_of(arrived_s)
        self.count()
        self.begun.set()
        media_s = self.note(picture.pts or 0, arrived_s)
        if self.pick(media_s):
            self._cell.put(Sample(picture, media_s, arrived_s, keyframe))

    def note(self, ticks: int, arrived_s: float) -> float:
        """Take note of the timestamp, in ticks of 1/90,000 s, of a picture that came; gives its media time."""
        self._stamps.see(ticks)
        return self._clock.at(ticks / VIDEO_HZ, arrived_s, self._since_first(arrived_s))

    def count(self) -> None:
        """Count a picture that can be shown."""
        self._received += 1

    def pick(self, media_s: float) -> bool:
        """Whether to show the picture of this media time."""
        picked = self._sampler.pick(media_s)
        if picked and self._place is not None:
            self._sampler.delay(wait_s(self._place, 1 / self._sampler.per_s, self._now()))
            self._place = None
        return picked

    def show(self, sample: Sample) -> None:
        """Take a picked picture, decoded and converted."""
        self.begun.set()
        self._cell.put(sample)

    def fail(self) -> None:
        """Count a picture that could not be decoded or converted."""
        self._failed += 1
        if self._failed == 1:
            self._log.warning("a picture could not be decoded")

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

    def _hear_of(self, arrived_s: float) -> None:
        self._came_s, self._told_stall_s = arrived_s, None

    def _catch_up(self) -> None:
        """Pictures that nobody picked are told of by the view alone."""
        newest_s = self._view.newest_s if self._view else None
        if newest_s is not None and newest_s > self._came_s:
            self._hear_of(newest_s)

    def _until_end_s(self) -> float:
        self._catch_up()
        return max(0.0, self._came_s + self._settings.end_after_s - self._now())

    def _until_stall_s(self) -> float:
        self._catch_up()
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
        loop, picture = asyncio.get_running_loop(), sample.picture
        try:
            if isinstance(picture, VideoFrame):
                picture = await loop.run_in_executor(self._pool, picture_of, picture)
        except (av.FFmpegError, ValueError) as error:
            self._failed += 1
            if self._failed == 1:
                self._log.warning("a picture could not be converted", error=str(error))
            return None
        facts = self._facts(sample)
        return Frame(self.call, self.participant, sample.media_s, sample.arrived_s, picture, facts)

    def _facts(self, sample: Sample) -> StreamFacts:
        facts = StreamFacts(keyframe=sample.keyframe, temporal_layer=sample.layer, stamps=self._stamps.take())
        if self._view is None:
            return facts
        received, lost = self._view.received_bytes, self._view.lost_packets
        told = replace(
            facts,
            codec=self._view.codec,
            lost_packets=max(0, lost - self._told_lost),
            received_bytes=received - self._told_bytes,
        )
        self._told_bytes, self._told_lost = received, max(lost, self._told_lost)
        return told
