# SPDX-License-Identifier: Apache-2.0
"""A recording in, media tracks that play it at its own speed out."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Final, Self, TypeVar

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler, VideoFrame

from monitor.errors import FileError

from .clock import MediaClock
from .picture import picture_of
from .recording import Recording
from .sampler import Sampler

__all__ = ["Player"]

T = TypeVar("T")

MOST_PX: Final = 1280
MOST_FPS: Final = 30.0
LATE_S: Final = 0.2
"""A picture later than this is left out: the encoder cannot keep up, and the call must not fall behind."""

MOST_LEFT_OUT: Final = 8
VIDEO_BASE: Final = Fraction(1, 90_000)
SOUND_HZ: Final = 48_000
SOUND_SAMPLES: Final = 960
OPEN_TIMEOUT_S: Final = 10.0


class Player:
    """Plays the picture and sound of a file as two tracks on one clock that starts with the first frame asked for.

    Each track decodes for itself, one frame at a time and off the loop, so nothing queues up. `ended` is set
    when the picture is over; `error` says why when it is over early.
    """

    def __init__(self, video: Recording, audio: Recording | None, *, loop: bool) -> None:
        self._recordings = [each for each in (video, audio) if each is not None]
        self._threads = ThreadPoolExecutor(2, "player")
        self._began_s: float | None = None
        self.length_s = video.facts.duration_s
        self.played_s = 0.0
        self.pictures = 0
        self.ended = asyncio.Event()
        self.error: FileError | None = None
        self.tracks: list[MediaStreamTrack] = [PictureTrack(self, video, loop=loop)]
        if audio is not None:
            self.tracks.append(SoundTrack(self, audio, loop=loop))

    @classmethod
    async def open(cls, source: str | Path, *, loop: bool = False) -> Self:
        """Open a file. Raises `FileError`."""
        video = await asyncio.to_thread(Recording, source, 1, OPEN_TIMEOUT_S)
        audio = None
        if video.facts.has_sound:
            audio = await asyncio.to_thread(Recording, source, 1, OPEN_TIMEOUT_S)
        return cls(video, audio, loop=loop)

    async def close(self) -> None:
        """Stop the tracks and free the file; they must not be read any more."""
        for track in self.tracks:
            track.stop()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        for recording in self._recordings:
            recording.close()

    async def step(self, frames: Iterator[T]) -> T | None:
        """The next frame of a track, decoded in a thread; None at the end."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, next, frames, None)

    def late_s(self, media_s: float) -> float:
        """Seconds by which the moment of `media_s` is over; negative when it is still to come."""
        now_s = time.monotonic()
        self._began_s = now_s - media_s if self._began_s is None else self._began_s
        return now_s - self._began_s - media_s


class PictureTrack(MediaStreamTrack):
    """The pictures of a file, upright, even-sized, at most `MOST_PX` wide or high and `MOST_FPS` a second."""

    kind = "video"

    def __init__(self, player: Player, recording: Recording, *, loop: bool) -> None:
        super().__init__()
        self._player = player
        self._timed = _pictures(recording, loop=loop)

    async def recv(self) -> VideoFrame:
        """The next picture when its time has come."""
        for _ in range(MOST_LEFT_OUT):
            media_s, picture = await self._next()
            late_s = self._player.late_s(media_s)
            if late_s < LATE_S:
                break
        await asyncio.sleep(-late_s)
        self._player.played_s = media_s
        self._player.pictures += 1
        return picture

    async def _next(self) -> tuple[float, VideoFrame]:
        try:
            timed = await self._player.step(self._timed)
        except FileError as error:
            self._player.error, timed = error, None
        if timed is None or self.readyState != "live":
            self._player.ended.set()
            self.stop()
            raise MediaStreamError
        return timed


class SoundTrack(MediaStreamTrack):
    """The sound of a file as 48 kHz stereo in frames of 20 ms."""

    kind = "audio"

    def __init__(self, player: Player, recording: Recording, *, loop: bool) -> None:
        super().__init__()
        self._player = player
        self._timed = _sounds(recording, loop=loop)

    async def recv(self) -> AudioFrame:
        """The next 20 ms when their time has come."""
        timed = await self._player.step(self._timed) if self.readyState == "live" else None
        if timed is None:
            self.stop()
            raise MediaStreamError
        media_s, sound = timed
        await asyncio.sleep(-self._player.late_s(media_s))
        return sound


def _pictures(recording: Recording, *, loop: bool) -> Iterator[tuple[float, VideoFrame]]:
    sampler = Sampler(MOST_FPS)
    step_s = 1 / (recording.facts.fps or MOST_FPS)
    begins_s = media_s = 0.0
    while True:
        clock = MediaClock()
        for count, frame in enumerate(recording.pictures()):
            stamp_s = count * step_s if frame.time is None else frame.time - recording.begins_s
            media_s = begins_s + clock.at(stamp_s, first_s=max(0.0, stamp_s))
            if sampler.pick(media_s):
                yield media_s, _timed(frame, media_s)
        if not loop:
            return
        recording.rewind()
        begins_s = media_s + step_s


def _timed(frame: VideoFrame, media_s: float) -> VideoFrame:
    longest = max(frame.width, frame.height)
    if longest > MOST_PX:
        share = MOST_PX / longest
        frame = frame.reformat(width=max(2, round(frame.width * share)), height=max(2, round(frame.height * share)))
    upright = VideoFrame.from_ndarray(picture_of(frame).i420, format="yuv420p")
    upright.pts, upright.time_base = round(media_s / VIDEO_BASE), VIDEO_BASE
    return upright


def _sounds(recording: Recording, *, loop: bool) -> Iterator[tuple[float, AudioFrame]]:
    resampler = AudioResampler(format="s16", layout="stereo", rate=SOUND_HZ, frame_size=SOUND_SAMPLES)
    samples: int | None = None
    while True:
        for frame in recording.sounds():
            stamp_s = recording.begins_s if frame.time is None else frame.time
            samples = round(max(0.0, stamp_s - recording.begins_s) * SOUND_HZ) if samples is None else samples
            frame.pts = None
            for part in resampler.resample(frame):
                part.pts, part.time_base = samples, Fraction(1, SOUND_HZ)
                yield samples / SOUND_HZ, part
                samples += part.samples
        if not loop or samples is None:
            return
        recording.rewind()
