# SPDX-License-Identifier: Apache-2.0
"""What is found out about a face: evidence of one cue, the verdict on a track, on a participant."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.values.words import AttackKind, Reason, State

__all__ = ["Evidence", "TimelineStep", "TrackVerdict", "Verdict"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One cue's word on one face.

    `llr_nats` is the log-likelihood ratio, positive speaks for an attack; `reliability` 0..1;
    `score` 0..1 on the release-stable scale (0.5: one bona fide observation in a thousand scores higher);
    `measure` is what the evidence was read from, on the cue's own scale, higher where it speaks for an attack; `origin`
    the measure above which the cue speaks, None where it reads its evidence otherwise;
    `sentence` is for a person to read. A cue that abstains has reliability 0 and says why in the sentence.
    """

    cue: str
    track: int
    media_s: float
    llr_nats: float
    reliability: float
    kinds: Mapping[AttackKind, float]
    sentence: str
    score: float | None = None
    measure: float | None = None
    origin: float | None = None


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One second of a face: what each cue added for an attack, in nats, and the recent score 0..1 then."""

    media_s: float
    score: float | None
    nats: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TrackVerdict:
    """State of one face track; `contributions` maps cues to accumulated nats, `timeline` is its last half minute."""

    track: int
    state: State
    score: float | None
    since_s: float
    reasons: tuple[Reason, ...] = ()
    contributions: Mapping[str, float] = field(default_factory=dict)
    kinds: Mapping[AttackKind, float] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    judged_s: float = 0.0
    timeline: tuple[TimelineStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """State of a participant by its worst face track; times are media seconds."""

    call: str
    participant: str
    media_s: float
    state: State
    score: float | None
    since_s: float
    reasons: tuple[Reason, ...]
    tracks: tuple[TrackVerdict, ...]
