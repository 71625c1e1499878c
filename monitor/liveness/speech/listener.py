# SPDX-License-Identifier: Apache-2.0
"""Stretches of sound in, when speech was heard and which mouth goes with it out; worked off a second at a time."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.synchrony.expectation import Expectation
from models.synchrony.features import BANDS, FRAME, FRAMES_PER_S, HOP, MOUTH, REACH, log_mel
from models.voice import SILENCE, WINDOW, Voice
from monitor.liveness.speech.sound import RATE_HZ, Stretch

__all__ = ["GRID_S", "KEPT_S", "Listener"]

Floats = NDArray[np.float32]

BLOCK_S: Final = 1.0
KEPT_S: Final = 14.0
"""What is remembered: the looks that are compared, the largest skew on both sides of them, and a block."""

GRID_S: Final = 0.04
GRID_FRAMES: Final = round(GRID_S * FRAMES_PER_S)
SPEECH: Final = 0.5
"""Probability from which a window of 32 ms is speech; what the voice network's makers advise."""


class Listener:
    """Hears one participant beside one face; less than 100 kB, however long the call."""

    def __init__(self, voice: Voice, expectation: Expectation) -> None:
        self._voice = voice
        self._expectation = expectation
        self._waiting: list[Floats] = []
        self._waiting_count = 0
        self._begin(0.0)

    def hear(self, stretch: Stretch) -> bool:
        """Take in a stretch; say whether more is known now. After a gap everything begins anew."""
        if stretch.anew:
            self._begin(stretch.begins_s)
        self._waiting.append(stretch.samples)
        self._waiting_count += stretch.samples.size
        if self._waiting_count < BLOCK_S * RATE_HZ:
            return False
        fresh = np.concatenate(self._waiting)
        self._waiting, self._waiting_count = [], 0
        self._find_speech(fresh)
        self._expect(fresh)
        return True

    @property
    def expected(self) -> tuple[float, Floats]:
        """Time of the first, and mouths to be expected each GRID_S, float32 [n, MOUTH]."""
        return self._began_s + self._gone * GRID_S, self._mouths

    def speech_share(self, at_s: NDArray[np.float64], beside_s: float = 0.4) -> Floats:
        """Share of speech around each of the times, 0..1; 0 where nothing was heard."""
        place = (at_s - self._began_s) * RATE_HZ / WINDOW - self._silent
        reach = round(beside_s * RATE_HZ / WINDOW)
        spoken = np.concatenate(([0], np.cumsum(self._speech)))
        low = np.clip(np.floor(place).astype(int) - reach, 0, len(self._speech))
        high = np.clip(np.floor(place).astype(int) + reach + 1, 0, len(self._speech))
        return np.asarray((spoken[high] - spoken[low]) / np.maximum(high - low, 1), np.float32)

    def _begin(self, at_s: float) -> None:
        self._began_s = at_s
        self._waiting, self._waiting_count = [], 0
        self._heard = SILENCE
        self._voiced = self._cut = np.zeros(0, np.float32)
        self._speech = np.zeros(0, np.bool_)
        self._frames = np.zeros((0, BANDS), np.float32)
        self._mouths = np.zeros((0, MOUTH), np.float32)
        self._silent = self._gone = 0

    def _find_speech(self, fresh: Floats) -> None:
        sound = np.concatenate((self._voiced, fresh))
        whole = len(sound) // WINDOW * WINDOW
        probability, self._heard = self._voice.hear(sound[:whole], self._heard)
        self._voiced = sound[whole:]
        speech = np.concatenate((self._speech, probability > SPEECH))
        surplus = max(0, len(speech) - round(KEPT_S * RATE_HZ / WINDOW))
        self._speech, self._silent = speech[surplus:], self._silent + surplus

    def _expect(self, fresh: Floats) -> None:
        """Frame k of the sound is centred at k * HOP + FRAME / 2; mouths are told on the grid from its neighbours."""
        sound = np.concatenate((self._cut, fresh))
        count = (len(sound) - FRAME) // HOP + 1
        self._cut = sound[count * HOP :]
        frames = np.concatenate((self._frames, log_mel(sound[: (count - 1) * HOP + FRAME])))
        at = np.arange(REACH, len(frames) - REACH, GRID_FRAMES)
        fresh_mouths = self._expectation.mouths(frames, at)
        self._frames = frames[at[-1] + GRID_FRAMES - REACH :]
        mouths = np.concatenate((self._mouths, fresh_mouths))
        surplus = max(0, len(mouths) - round(KEPT_S / GRID_S))
        self._mouths, self._gone = mouths[surplus:], self._gone + surplus
