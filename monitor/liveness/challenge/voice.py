# SPDX-License-Identifier: Apache-2.0
"""Sound of one participant in; what was spoken when, how loud over the rest, and any piece of it out."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.synchrony.expectation import Expectation
from models.synchrony.features import FRAME, HOP, log_mel
from models.voice import SILENCE, WINDOW, Voice
from monitor.liveness.speech.sound import FULL_SCALE, RATE_HZ, SoundTrack
from monitor.values import AudioChunk

__all__ = ["GRID_S", "WINDOW_S", "Recording"]

Floats = NDArray[np.float32]

WINDOW_S: Final = WINDOW / RATE_HZ
SPEECH: Final = 0.5
"""Probability from which a window of 32 ms is speech; what the voice network's makers advise."""

LEAST_POWER: Final = 1e-9
MOST_DB: Final = 60.0
"""What digital silence gives."""

GRID_FRAMES: Final = 4
GRID_S: Final = GRID_FRAMES * HOP / RATE_HZ


class Recording:
    """`length_s` of sound from media time `begins_s` on, in memory alone; what was not heard is silence."""

    def __init__(self, begins_s: float, length_s: float) -> None:
        self._begins_s = begins_s
        self._samples = np.zeros(round(length_s * RATE_HZ), np.float32)
        self._track = SoundTrack()
        self.heard_s = 0.0

    def add(self, chunks: Sequence[AudioChunk]) -> None:
        """Take in what is new of these chunks; sound from before or after is left out."""
        for stretch in self._track.take(chunks):
            first = round((stretch.begins_s - self._begins_s) * RATE_HZ)
            low, high = max(first, 0), min(first + stretch.samples.size, self._samples.size)
            if low < high:
                self._samples[low:high] = stretch.samples[low - first : high - first]
                self.heard_s += (high - low) / RATE_HZ

    def piece(self, begins_s: float, ends_s: float) -> NDArray[np.int16]:
        """Sound between two times after the beginning, int16 [n]."""
        cut = self._samples[max(0, round(begins_s * RATE_HZ)) : round(ends_s * RATE_HZ)]
        return np.asarray(cut * FULL_SCALE, np.int16)

    def spoken(self, voice: Voice) -> NDArray[np.bool_]:
        """Whether each WINDOW_S of it is speech, bool [n]."""
        whole = self._samples.size // WINDOW * WINDOW
        return np.asarray(voice.hear(self._samples[:whole], SILENCE)[0] > SPEECH)

    def over_the_rest_db(self, spoken: NDArray[np.bool_]) -> float:
        """How much louder speech is than the quietest tenth of the sound, 0..MOST_DB; 0 without speech."""
        power = np.square(self._samples[: spoken.size * WINDOW].reshape(-1, WINDOW)).mean(axis=1)
        if not spoken.any():
            return 0.0
        quiet = max(float(np.quantile(power, 0.1)), LEAST_POWER)
        return float(np.clip(10.0 * np.log10(float(power[spoken].mean()) / quiet), 0.0, MOST_DB))

    def mouths(self, expectation: Expectation) -> Floats:
        """The mouth that people have to this sound each GRID_S, float32 [n, numbers]."""
        frames = log_mel(np.pad(self._samples, FRAME // 2))
        return expectation.mouths(frames, np.arange(0, len(frames), GRID_FRAMES))
