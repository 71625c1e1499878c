# SPDX-License-Identifier: Apache-2.0
"""What every task of a challenge is: one face's crops and sound in, what to show and at last a finding out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from monitor.values import AudioChunk, ChallengeState, FaceCrop

__all__ = ["Finding", "Shown", "Task", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict on an answer: passed, failed or inconclusive, why, and what was measured.

    `copied`: the answer was there before it was asked for, which speaks louder than no answer.
    """

    state: ChallengeState
    sentence: str
    measurements: Mapping[str, float] = field(default_factory=dict)
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What the participant is to see now: words always, and what goes with the kind.

    `arrow` is a direction as the participant sees it; `point` x to the right and y down, 0..1 of the screen;
    `colour` is #rrggbb for the whole screen; `digit` is to be said aloud; `progress` 0..1.
    """

    words: str
    progress: float = 0.0
    arrow: str | None = None
    point: tuple[float, float] | None = None
    colour: str | None = None
    digit: str | None = None


class Task(Protocol):
    """What is asked in one challenge. Its state is bounded, it has no clock, and all chance comes from its seed."""

    @property
    def shown(self) -> Shown:
        """What to show now."""

    @property
    def asked(self) -> tuple[str, ...]:
        """What has been asked so far, in order."""

    def look(self, crop: FaceCrop, at_s: float, sound: Sequence[AudioChunk] = ()) -> Finding | None:
        """Take in the face's next crop, `at_s` seconds of media after the start; a finding ends the task.

        `sound` is the newest that was heard of the participant, oldest chunk first; chunks come again.
        """

    def end(self) -> Finding:
        """Say what can be said when time is up."""


def inconclusive(sentence: str) -> Finding:
    """Nothing can be said of the answer, and why."""
    return Finding(ChallengeState.INCONCLUSIVE, sentence)
