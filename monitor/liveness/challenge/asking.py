# SPDX-License-Identifier: Apache-2.0
"""Readings of a face in; gestures asked for one by one, each at a random moment, and whether they came out.

Challenge and response (ISO/IEC 30107-1): what cannot be foreseen cannot be recorded beforehand. Each gesture begins
from rest, so that a movement under way does not count; what is asked and when is drawn from the challenge's seed.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.liveness.challenge.task import Finding, Shown, inconclusive
from monitor.values import AudioChunk, ChallengeState, FaceCrop

__all__ = ["Asking", "Gesture"]

REST_S: Final = (0.8, 2.0)
"""How long the face rests before it is asked, drawn anew each time, so that the moment cannot be foreseen."""

MOST_REST_S: Final = 8.0
"""Who cannot rest for 0.8 s in all this time cannot be judged."""

REACTION_S: Final = 0.3
"""Nobody moves this soon after the question: seeing takes 0.2 s, and the picture travels there and back."""

ANSWER_S: Final = 4.0
"""Time for one gesture: reaction, a second of movement, and a slow network."""

BEGUN: Final = 0.4
"""Share of a gesture beyond which it has begun."""

LEAST_LOOKS: Final = 2
"""A gesture is there when so many looks in a row show it: single readings jump (1 in 100 by 13 degrees)."""

MOST_MISTAKES: Final = 1
"""People mistake left for right; a second mistake decides."""

MOST_SAMPLES: Final = 90
"""Readings kept of a rest: 2 s at 30 looks a second, and more."""

Reading = NDArray[np.float64]


class Gesture(Protocol):
    """A family of gestures, such as turns of the head in four directions."""

    choices: tuple[str, ...]
    rest_words: str

    def words(self, choice: str) -> str:
        """Say to a person what to do."""

    def read(self, crop: FaceCrop) -> Reading | None:
        """One reading of the face, float64 [D]; None when it cannot be read."""

    def resting(self, readings: Sequence[Reading]) -> bool:
        """Whether these readings are of a face at rest."""

    def done(self, rest: Sequence[Reading], reading: Reading) -> Mapping[str, float]:
        """How far each choice is reached, 1 being all of it."""


class Asking:
    """Asks for `count` gestures, of the `fixed` ones in their order or drawn at random."""

    def __init__(self, gesture: Gesture, random: Random, count: int = 2, fixed: Sequence[str] = ()) -> None:
        self._gesture = gesture
        self._random = random
        self._count = len(fixed) or count
        self._fixed = tuple(fixed)
        self._asked: list[str] = []
        self._answered_s: list[float] = []
        self._mistakes: list[str] = []
        self._rest_from(0.0)

    @property
    def shown(self) -> Shown:
        """Rest, or the gesture asked for."""
        done = len(self._answered_s) / self._count
        if self._asked_s is None:
            return Shown(self._gesture.rest_words, done)
        choice = self._asked[-1]
        return Shown(self._gesture.words(choice), done + min(self._best, 1.0) / self._count, arrow=choice)

    @property
    def asked(self) -> tuple[str, ...]:
        """Every gesture asked for so far."""
        return tuple(self._asked)

    def look(self, crop: FaceCrop, at_s: float, _sound: Sequence[AudioChunk] = ()) -> Finding | None:
        """Take in one crop; a face that cannot be read only lets time pass."""
        reading = self._gesture.read(crop)
        if self._asked_s is None:
            return self._rest(reading, at_s)
        return self._answer(reading, at_s - self._asked_s, at_s)

    def end(self) -> Finding:
        """Time is up: who was asked and did not answer has failed."""
        if self._asked_s is None and not self._mistakes:
            return inconclusive("The face did not rest long enough to be asked.")
        return self._finding(ChallengeState.FAILED, "What was asked for was not done in time.")

    def _rest_from(self, at_s: float) -> None:
        self._since_s = at_s
        self._wait_s = self._random.uniform(*REST_S)
        self._asked_s: float | None = None
        self._best, self._reached = 0.0, 0
        self._strayed: dict[str, int] = {}
        self._rested: deque[tuple[float, Reading]] = deque(maxlen=MOST_SAMPLES)

    def _rest(self, reading: Reading | None, at_s: float) -> Finding | None:
        if at_s - self._since_s > MOST_REST_S:
            return inconclusive("The face did not rest long enough to be asked.")
        if reading is None:
            self._rested.clear()
            return None
        self._rested.append((at_s, reading))
        while not self._gesture.resting([each for _, each in self._rested]):
            self._rested.popleft()
        if at_s - self._rested[0][0] >= self._wait_s:
            # The question before its time: whoever reads `shown` meanwhile finds it there.
            self._asked.append(self._next())
            self._asked_s = at_s
        return None

    def _next(self) -> str:
        if self._fixed:
            return self._fixed[len(self._answered_s)]
        # Never twice the same in a row: coming back from a gesture must not answer the next.
        return self._random.choice([one for one in self._gesture.choices if one not in self._asked[-1:]])

    def _answer(self, reading: Reading | None, since_s: float, at_s: float) -> Finding | None:
        if since_s > ANSWER_S:
            return self._mistake("What was asked for was not done in time.", at_s)
        if reading is None:
            return None
        done = self._gesture.done([each for _, each in self._rested], reading)
        choice = self._asked[-1]
        if since_s < REACTION_S and max(done.values()) >= BEGUN:
            return self._mistake("The face moved before it can have seen what was asked.", at_s)
        self._best = max(self._best, done[choice])
        self._reached = self._reached + 1 if done[choice] >= 1.0 else 0
        self._strayed = self._straying(done, choice)
        if self._reached >= LEAST_LOOKS:
            return self._done(since_s, at_s)
        if max(self._strayed.values(), default=0) >= LEAST_LOOKS:
            return self._mistake("Something else was done than what was asked.", at_s)
        return None

    def _straying(self, done: Mapping[str, float], choice: str) -> dict[str, int]:
        """For how many looks another gesture has been there instead: a nod on the way of a turn is none."""
        if done[choice] >= BEGUN:
            return {}
        return {one: self._strayed.get(one, 0) + 1 for one, share in done.items() if share >= 1.0 and one != choice}

    def _done(self, since_s: float, at_s: float) -> Finding | None:
        self._answered_s.append(since_s)
        if len(self._answered_s) == self._count:
            return self._finding(ChallengeState.PASSED, "The participant did what was asked, when it was asked.")
        self._rest_from(at_s)
        return None

    def _mistake(self, sentence: str, at_s: float) -> Finding | None:
        self._mistakes.append(sentence)
        if len(self._mistakes) > MOST_MISTAKES:
            return self._finding(ChallengeState.FAILED, sentence)
        self._rest_from(at_s)
        return None

    def _finding(self, state: ChallengeState, sentence: str) -> Finding:
        slowest = max(self._answered_s, default=0.0)
        measured = {"answers": len(self._answered_s), "mistakes": len(self._mistakes), "slowest_answer_s": slowest}
        return Finding(state, sentence, {name: round(float(value), 3) for name, value in measured.items()})
