# SPDX-License-Identifier: Apache-2.0
"""A recording in, the same feed that its live call would have been out."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Literal, TypeVar

import av
import structlog
from av import AudioFrame, VideoFrame

from monitor.config import CaptureSettings
from monitor.values import AudioChunk, Frame, Media, StreamFacts

from .clock import MediaClock
from .feed import FeedCounts
from .picture import picture_of
from .recording import FileFacts, Recording
from .sampler import Sampler
from .sound import SoundRing

__all__ = ["Pace", "Replay"]

Pace = Literal["live", "fast"]
T = TypeVar("T")


class Replay:
    """Feed of a file, or of an address that FFmpeg can play.

    At pace "live" frames come when their media time has come, and a slow reader gets the newest; at "fast"
    every sampled frame comes as soon as the last one was read, with one being decoded ahead. Decoding runs
    in a thread of its own. `media` raises `FileError` for what cannot be played.
    """

    def __init__(
        self, source: str | Path, call: str, participant: str, settings: CaptureSettings, pace: Pace = "fast"
    ) -> None:
        self.call = call
        self.participant = participant
        self._source = source
        self._settings = settings
        self._pace = pace
        self._log = structlog.get_logger().bind(call=call, participant=participant)
        self._thread = ThreadPoolExecutor(1, "replay")
        self._recording: Recording | None = None
        self._closed = False
        self._clock = MediaClock()
        self._sampler = Sampler(settings.samples_per_s)
        self._sound = SoundRing(call, participant)
        self._received = self._sampled = self._dropped = self._failed = self._yielded = 0
        self._reached_s = 0.0

    @property
    def samples_per_s(self) -> float:
        """Frames picked per media second."""
        return self._sampler.per_s

    @samples_per_s.setter
    def samples_per_s(self, per_s: float) -> None:
        self._sampler.per_s = per_s

    @property
    def facts(self) -> FileFacts | None:
        """What the container says; None before it is open."""
        return self._recording.facts if self._recording else None

    @property
    def counts(self) -> FeedCounts:
        """Counters so far; `discarded` are packets that could not be decoded."""
        return FeedCounts(
            received=self._received,
            sampled=self._sampled,
            dropped=self._dropped,
            failed=self._failed,
            yielded=self._yielded,
            discarded=self._recording.damaged if self._recording else 0,
            breaks=self._clock.breaks,
            sounds=self._sound.received_count,
        )

    async def open(self) -> FileFacts:
        """Open the file and say what it is; `media` does so by itself. Raises `FileError`."""
        if self._recording is None:
            settings = self._settings
            self._recording = await self._run(
                lambda: Recording(self._source, settings.decode_threads, settings.request_timeout_s)
            )
        return self._recording.facts

    async def media(self) -> AsyncIterator[Media]:
        """Sampled frames to the end of the file; to be iterated once. Raises `FileError`."""
        facts = await self.open()
        assert self._recording is not None
        samples = self._samples(self._recording, facts)
        try:
            async with aclosing(self._live(samples) if self._pace == "live" else self._fast(samples)) as frames:
                async for frame in frames:
                    self._yielded += 1
                    self._reached_s = frame.media_s
                    yield frame
        finally:
            await self.close()

    def heard(self, seconds: float) -> tuple[AudioChunk, ...]:
        """The `seconds` of sound up to the last frame, 16 kHz mono, oldest chunk first."""
        return self._sound.last(seconds, self._reached_s)

    async def close(self) -> None:
        """End the replay and free the file; harmless to repeat."""
        if self._closed:
            return
        self._closed = True
        if self._recording is not None:
            if self._recording.damaged:
                self._log.warning("recording is damaged", packets=self._recording.damaged)
            await asyncio.shield(self._run(self._recording.close))
        self._thread.shutdown(wait=False)

    async def _fast(self, samples: Iterator[Frame]) -> AsyncGenerator[Frame]:
        ahead = asyncio.ensure_future(self._next(samples))
        try:
            while (frame := await ahead) is not None and not self._closed:
                ahead = asyncio.ensure_future(self._next(samples))
                yield frame
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _live(self, samples: Iterator[Frame]) -> AsyncGenerator[Frame]:
        ahead = await self._next(samples)
        began_s = time.monotonic() - (ahead.media_s if ahead else 0.0)
        while ahead is not None:
            await asyncio.sleep(began_s + ahead.media_s - time.monotonic())
            due_s = time.monotonic() - began_s
            frame, ahead = ahead, await self._next(samples)
            while ahead is not None and ahead.media_s <= due_s:
                self._dropped += 1
                frame, ahead = ahead, await self._next(samples)
            yield frame

    async def _next(self, samples: Iterator[Frame]) -> Frame | None:
        return None if self._closed else await self._run(lambda: next(samples, None))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _samples(self, recording: Recording, facts: FileFacts) -> Iterator[Frame]:
        step_s = 1 / facts.fps if facts.fps else 0.0
        stamp_s = recording.begins_s - step_s
        for decoded in recording.decoded():
            if isinstance(decoded, AudioFrame):
                stamped_s = recording.begins_s if decoded.time is None else decoded.time
                first_s = max(0.0, stamped_s - recording.begins_s)
                self._sound.add(decoded, time.monotonic(), first_s, live=False)
                continue
            stamp_s = stamp_s + step_s if decoded.time is None else decoded.time
            self._received += 1
            media_s = self._clock.at(stamp_s, first_s=max(0.0, stamp_s - recording.begins_s))
            if self._sampler.pick(media_s) and (frame := self._frame(decoded, media_s, facts.codec)) is not None:
                yield frame

    def _frame(self, decoded: VideoFrame, media_s: float, codec: str) -> Frame | None:
        self._sampled += 1
        try:
            picture = picture_of(decoded)
        except (ValueError, av.FFmpegError) as error:
            self._failed += 1
            self._log.debug("a picture could not be converted", error=str(error))
            return None
        facts = StreamFacts(codec=codec, keyframe=decoded.key_frame)
        return Frame(self.call, self.participant, media_s, time.monotonic(), picture, facts)
