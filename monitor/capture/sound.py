# SPDX-License-Identifier: Apache-2.0
"""Decoded sound in, the last seconds of it as 16 kHz mono out."""

import math
import threading
from collections import deque
from typing import Final

import numpy as np
from av import AudioFrame, AudioResampler

from monitor.values import AudioChunk

from .clock import MediaClock

__all__ = ["RATE_HZ", "SoundRing"]

RATE_HZ: Final = 16_000
"""Wide-band speech; what speech features are commonly computed at."""

KEPT_S: Final = 12.0
"""Sound older than this is forgotten; 380 kB a participant."""


class SoundRing:
    """Ring of recent sound of one participant, bounded in seconds; may be written and read by two threads."""

    def __init__(self, call: str, participant: str) -> None:
        self._call = call
        self._participant = participant
        self._clock = MediaClock()
        self._resampler: AudioResampler | None = None
        self._format: tuple[str, str, int] | None = None
        self._chunks: deque[AudioChunk] = deque()
        self._kept_samples = 0
        self._lock = threading.Lock()
        self.received_count = 0

    def rebase(self) -> None:
        """Expect the sound of a new connection."""
        self._clock.rebase()

    def add(self, frame: AudioFrame, arrived_s: float, first_s: float, *, live: bool = True) -> None:
        """Append a decoded frame of any rate and layout; the oldest sound makes room.

        `first_s` is the media time of the frame if it is the first; `live` says that arrival times mean something.
        """
        stamp_s = 0.0 if frame.time is None else frame.time
        media_s = self._clock.at(stamp_s, arrived_s if live else None, first_s)
        samples = self._mono(frame)
        self.received_count += 1
        if not samples.size:
            return
        chunk = AudioChunk(self._call, self._participant, media_s, arrived_s, samples, RATE_HZ)
        with self._lock:
            self._chunks.append(chunk)
            self._kept_samples += samples.size
            while self._kept_samples > KEPT_S * RATE_HZ and len(self._chunks) > 1:
                self._kept_samples -= self._chunks.popleft().samples.size

    def last(self, seconds: float, until_s: float = math.inf) -> tuple[AudioChunk, ...]:
        """The newest chunks that begin by media time `until_s` and cover `seconds` (or all there is), oldest first."""
        wanted = seconds * RATE_HZ
        found: list[AudioChunk] = []
        with self._lock:
            chunks = [chunk for chunk in self._chunks if chunk.media_s <= until_s]
        while chunks and wanted > 0:
            found.append(chunks.pop())
            wanted -= found[-1].samples.size
        return tuple(reversed(found))

    @property
    def kept_s(self) -> float:
        """Seconds of sound in the ring."""
        return self._kept_samples / RATE_HZ

    def _mono(self, frame: AudioFrame) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or form != self._format:
            self._resampler, self._format = AudioResampler(format="s16", layout="mono", rate=RATE_HZ), form
        frame.pts = None
        parts = [each.to_ndarray().reshape(-1) for each in self._resampler.resample(frame)]
        return np.concatenate(parts) if parts else np.empty(0, np.int16)
