# SPDX-License-Identifier: Apache-2.0
"""A face and its sound in, whether it said the digits that were shown, each in its time, out.

A digit that nobody could foresee, said by the face that is seen (Ren et al. 2004 and later text-prompted speaker
checks; ISO/IEC 30107-1 names challenge and response). Each digit is shown alone at a random moment, so that exactly one
word is to be recognised at a time, and an answer that was made beforehand does not know when.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import pairwise
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.digits.recogniser import RATE_HZ, WORDS, installed, recognise
from models.errors import RecogniserError
from models.synchrony.expectation import load_expectation
from models.voice import load_voice
from monitor.errors import ModelError
from monitor.liveness.challenge.lips import Lips
from monitor.liveness.challenge.task import Finding, Shown, inconclusive
from monitor.liveness.challenge.utterance import Utterance, judge
from monitor.liveness.challenge.voice import GRID_S, WINDOW_S, Recording
from monitor.values import AudioChunk, FaceCrop

__all__ = ["SpokenDigits", "digits", "recogniser"]

Recognise = Callable[[Sequence[NDArray[np.int16]]], tuple[int | None, ...]]

COUNT: Final = 6
LEAD_S: Final = (1.2, 2.0)
STEP_S: Final = (2.2, 2.8)
"""To see a digit, to say it and to have been heard, 0.6 to 1.2 s for people, takes up to 2 s over a slow network."""

REACTION_S: Final = 0.3
"""Nobody speaks this soon after a digit came: what is heard until then belongs to the one before."""

TAIL_S: Final = 1.0
"""Sound may come later than the picture."""

LEAST_SPOKEN_S: Final = 0.1

READY: Final = "Get ready to say digits aloud, in English, one by one."
SAY: Final = "Say this digit aloud, in English: {}."
LAST: Final = "Thank you, please wait."


class SpokenDigits:
    """Shows `asked` digits from the times `begins_s` on, and after the last of the times, its end, judges."""

    def __init__(self, asked: Sequence[int], begins_s: Sequence[float], recognise: Recognise = recognise) -> None:
        self._digits = tuple(asked)
        self._edges_s = tuple(begins_s)
        self._recognise = recognise
        self._at_s = 0.0
        self._recording: Recording | None = None
        self._lips = Lips(load_expectation().scale)

    @property
    def shown(self) -> Shown:
        """The digit of this moment."""
        progress = min(self._at_s / (self._edges_s[-1] + TAIL_S), 1.0)
        if self._at_s < self._edges_s[0]:
            return Shown(READY, progress)
        if self._at_s >= self._edges_s[-1]:
            return Shown(LAST, progress)
        digit = self._digits[self._shown - 1]
        return Shown(SAY.format(WORDS[digit]), progress, digit=str(digit))

    @property
    def asked(self) -> tuple[str, ...]:
        """Digits shown so far."""
        return tuple(WORDS[digit] for digit in self._digits[: self._shown])

    @property
    def _shown(self) -> int:
        return min(sum(begin_s <= self._at_s for begin_s in self._edges_s), len(self._digits))

    def look(self, crop: FaceCrop, at_s: float, sound: Sequence[AudioChunk] = ()) -> Finding | None:
        """Take in a crop and the newest sound; after the last digit all is judged."""
        self._at_s = at_s
        if self._recording is None:
            self._recording = Recording(crop.media_s - at_s, self._edges_s[-1] + TAIL_S)
        self._recording.add(sound)
        self._lips.add(crop, at_s)
        return self.end() if at_s > self._edges_s[-1] + TAIL_S else None

    def end(self) -> Finding:
        """Judge what was heard and seen; before the last digit was shown nothing can be said."""
        if self._recording is None or self._at_s <= self._edges_s[-1]:
            return inconclusive("Time was up before all digits had been shown.")
        if not self._recording.heard_s:
            return inconclusive("No sound came with the picture.")
        try:
            return judge(self._utterance(self._recording))
        except RecogniserError:
            return inconclusive("What was said could not be recognised: the recogniser failed.")

    def _utterance(self, recording: Recording) -> Utterance:
        spoken = recording.spoken(load_voice())
        spans = [(low + REACTION_S, high + REACTION_S) for low, high in pairwise(self._edges_s)]
        delays_s = [_delay_s(spoken, *span) for span in spans]
        said = [index for index, delay_s in enumerate(delays_s) if delay_s is not None]
        heard: list[int | None] = [None] * len(spans)
        pieces = [recording.piece(*spans[index]) for index in said]
        for index, digit in zip(said, self._recognise(pieces) if said else (), strict=True):
            heard[index] = digit
        return Utterance(
            asked=self._digits,
            heard=tuple(heard),
            delays_s=tuple(REACTION_S + delay_s for delay_s in delays_s if delay_s is not None),
            over_the_rest_db=recording.over_the_rest_db(spoken),
            looks=self._lips.looks,
            opening=self._lips.opening(),
            fit=self._lips.fit(recording.mouths(load_expectation()), GRID_S),
        )


def digits(random: Random) -> SpokenDigits:
    """COUNT digits, no two alike in a row, each for a random time."""
    asked: list[int] = []
    edges_s = [random.uniform(*LEAD_S)]
    for _ in range(COUNT):
        asked.append(random.choice([digit for digit in range(10) if digit not in asked[-1:]]))
        edges_s.append(edges_s[-1] + random.uniform(*STEP_S))
    return SpokenDigits(asked, edges_s)


def recogniser() -> str:
    """Say which recogniser answers, or that none is installed; raises ModelError when it does not work."""
    if not installed():
        return "not installed: say_digits is not offered; pip install 'lifesign[speech]' if it shall be"
    try:
        recognise((np.zeros(RATE_HZ, np.int16),))
    except RecogniserError as error:
        advice = "Install it anew: pip install --force-reinstall 'lifesign[speech]'."
        raise ModelError(f"Spoken digits cannot be recognised: {error}.", advice) from error
    return f"PocketSphinx {version('pocketsphinx')} answers"


def _delay_s(spoken: NDArray[np.bool_], begins_s: float, ends_s: float) -> float | None:
    """When speech begins within a span; None where there is less than LEAST_SPOKEN_S of it."""
    within = spoken[round(begins_s / WINDOW_S) : round(ends_s / WINDOW_S)]
    return float(np.argmax(within)) * WINDOW_S if within.sum() * WINDOW_S >= LEAST_SPOKEN_S else None
