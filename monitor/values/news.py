# SPDX-License-Identifier: Apache-2.0
"""What is told the moment it happens: changes of an alert and of a challenge."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.values.verdict import TimelineStep
from monitor.values.words import AlertChange, AttackKind, ChallengeKind, ChallengeState

__all__ = ["Alert", "Challenge"]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert's change; `id` stays the same from raised to cleared, so redelivery is harmless.

    `timeline` is what led to it, second by second, oldest first.
    """

    id: str
    change: AlertChange
    call: str
    participant: str
    track: int
    media_s: float
    raised_s: float
    score: float
    kinds: Mapping[AttackKind, float]
    sentences: tuple[str, ...]
    contributions: Mapping[str, float]
    timeline: tuple[TimelineStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    """A change of a challenge; `id` stays the same from waiting to the verdict.

    `media_s` is the participant's media time, None before their next picture; `asked` what was asked for, told with the
    verdict only; `measurements` by name, with their unit in it.
    """

    id: str
    call: str
    participant: str
    kind: ChallengeKind
    state: ChallengeState
    media_s: float | None = None
    sentence: str = ""
    asked: tuple[str, ...] = ()
    measurements: Mapping[str, float] = field(default_factory=dict)
