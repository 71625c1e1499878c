# SPDX-License-Identifier: Apache-2.0
"""Chunks that come again and again in, each stretch of unbroken sound once out."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.values import AudioChunk

__all__ = ["FULL_SCALE", "RATE_HZ", "SoundTrack", "Stretch"]

Floats = NDArray[np.float32]

RATE_HZ: Final = 16_000
GAP_S: Final = 0.1
"""Chunks further from where the sound before them ended belong to another stretch; jitter of stamps is less."""

FULL_SCALE: Final = np.float32(32_768)


class Stretch(NamedTuple):
    """Fresh sound, float32 within -1..1, its media time, and whether there is a gap before it."""

    begins_s: float
    samples: Floats
    anew: bool


class SoundTrack:
    """Remembers where the sound it has given out ends; holds no sound."""

    def __init__(self) -> None:
        self._began_s = self._newest_s = 0.0
        self._count = -1

    @property
    def ends_s(self) -> float:
        """Media time up to which sound was given out."""
        return self._began_s + max(0, self._count) / RATE_HZ

    def take(self, chunks: Sequence[AudioChunk]) -> tuple[Stretch, ...]:
        """Give out what is new; chunks of another rate are left out."""
        if chunks and self._count >= 0 and chunks[-1].media_s < self._newest_s:
            self._count = -1
        fresh = [chunk for chunk in chunks if self._count < 0 or chunk.media_s > self._newest_s]
        return tuple(self._stretch(chunk) for chunk in fresh if chunk.rate_hz == RATE_HZ and chunk.samples.size)

    def _stretch(self, chunk: AudioChunk) -> Stretch:
        anew = self._count < 0 or abs(chunk.media_s - self.ends_s) > GAP_S
        if anew:
            self._began_s, self._count = chunk.media_s, 0
        begins_s = self.ends_s
        self._count += chunk.samples.size
        self._newest_s = chunk.media_s
        return Stretch(begins_s, chunk.samples.astype(np.float32) / FULL_SCALE, anew)
