# SPDX-License-Identifier: Apache-2.0
"""What was heard and seen while digits were shown in, the finding out."""

from dataclasses import dataclass
from statistics import median
from typing import Final

from monitor.liveness.challenge.task import Finding
from monitor.liveness.speech.agreement import Agreement
from monitor.values import ChallengeState

__all__ = ["Utterance", "judge"]

MOST_WRONG: Final = 1
"""One of six may be wrong or unheard. Who guesses, never twice the same, then passes once in 11,000 times."""

LEAST_OVER_DB: Final = 20.0
"""Nine in ten digits are heard right when speech is 20 dB over the noise, half of them at 10 dB, none at 0: below, what
was said may be right and not be recognised, and nothing is said against the speaker."""

LEAST_LOOKS: Final = 30
"""Looks at the mouth, of about 90: two a second."""

SHUT: Final = 0.3
"""Lips of 61 films of people who talk open by 0.44 at least (1 in 20 under 0.59)."""

FITTING: Final = 0.2
"""Correlation of mouth and sound over 12 to 15 s. Five GRID sentences joined, of people whom the map was not learnt
from, against their own sound: 0.19 or more in 19 of 20, 0.26 at the median. 30 people who talk, against a sound that is
not theirs: 0.20 or less in 19 of 20, 0.22 at most. Nobody saying digits was filmed, so it decides only what is certain
enough to pass; nobody fails by it."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Digits asked for and heard (None: nothing), the delay of each that was spoken, and what the mouth did.

    `over_the_rest_db` is how far speech stands out, `opening` that of the lips (1: as in speech), `fit` mouth to sound.
    """

    asked: tuple[int, ...]
    heard: tuple[int | None, ...]
    delays_s: tuple[float, ...]
    over_the_rest_db: float
    looks: int
    opening: float
    fit: Agreement | None

    @property
    def right(self) -> int:
        """Digits heard as asked."""
        return sum(one == other for one, other in zip(self.asked, self.heard, strict=True))

    @property
    def measurements(self) -> dict[str, float]:
        """By name, with their unit in it."""
        measured = {
            "digits_heard": float(len(self.delays_s)),
            "share_right": self.right / len(self.asked),
            "speech_over_the_rest_db": self.over_the_rest_db,
            "mouth_opening": self.opening,
        }
        if self.delays_s:
            measured |= {"first_delay_s": self.delays_s[0], "median_delay_s": median(self.delays_s)}
        if self.fit is not None:
            measured |= {"mouth_agreement": self.fit.peak, "mouth_lag_s": self.fit.lag_s}
        return {name: round(value, 3) for name, value in measured.items()}


def judge(utterance: Utterance) -> Finding:
    """Passed by the right digits from a mouth that fits; what cannot be told is inconclusive."""
    state, sentence = _judged(utterance)
    return Finding(state, sentence, utterance.measurements)


def _judged(said: Utterance) -> tuple[ChallengeState, str]:
    most = len(said.asked) - MOST_WRONG
    if len(said.delays_s) < most:
        return ChallengeState.INCONCLUSIVE, "Too little speech was heard while the digits were shown."
    if said.right < most:
        return _wrong(said)
    if said.looks < LEAST_LOOKS or said.fit is None:
        return ChallengeState.INCONCLUSIVE, "The digits were heard, but the mouth was not seen well enough."
    if said.opening < SHUT:
        return ChallengeState.FAILED, "The digits were heard, but the mouth did not move."
    if said.fit.peak < FITTING:
        return ChallengeState.INCONCLUSIVE, "The digits were heard; it is not certain that this mouth said them."
    return ChallengeState.PASSED, "The participant said the digits that were shown, each in its time."


def _wrong(said: Utterance) -> tuple[ChallengeState, str]:
    if said.over_the_rest_db < LEAST_OVER_DB:
        return ChallengeState.INCONCLUSIVE, "Speech stands out too little from the noise to tell what was said."
    return ChallengeState.FAILED, "Other words were heard than the digits that were shown, or not in their time."
