# SPDX-License-Identifier: Apache-2.0
"""Verdicts, alerts and states in, events out; ids and time are injected."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from monitor.publish.events import (
    MAX_SENTENCE_CHARS,
    MAX_SENTENCES,
    MAX_STEPS,
    AlertData,
    AlertEvent,
    AlertStep,
    CallData,
    CallEvent,
    ChallengeData,
    ChallengeEvent,
    FaceVerdict,
    NodeData,
    NodeEvent,
    NodeStatus,
    ParticipantMedia,
    VerdictData,
    VerdictEvent,
)
from monitor.publish.identity import Identity
from monitor.values import Alert, AttackKind, Challenge, TimelineStep, TrackVerdict, Verdict

__all__ = ["EventBuilder", "challenge_data"]


def _finite(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)


def _score(value: float | None) -> float | None:
    """A score inside 0..1, or None: a number that went wrong must not cost the alert that carries it."""
    value = _finite(value, 4)
    return None if value is None else min(max(value, 0.0), 1.0)


def _seconds(value: float) -> float:
    return _finite(value, 3) or 0.0


def _numbers(named: Mapping[str, float]) -> dict[str, float]:
    rounded = {name: _finite(number, 3) for name, number in named.items()}
    return {name: number for name, number in rounded.items() if number is not None}


def _weights(kinds: Mapping[AttackKind, float]) -> dict[AttackKind, float]:
    bounded = {kind: _score(weight) for kind, weight in kinds.items()}
    return {kind: weight for kind, weight in bounded.items() if weight is not None}


def _evidence(sentences: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sentence[:MAX_SENTENCE_CHARS] for sentence in sentences[:MAX_SENTENCES])


def _step(step: TimelineStep) -> AlertStep:
    return AlertStep(media_s=_seconds(step.media_s), score=_score(step.score), nats=_numbers(step.nats))


def _face(face: TrackVerdict) -> FaceVerdict:
    return FaceVerdict(
        track=face.track,
        state=face.state,
        score=_score(face.score),
        since_s=_seconds(face.since_s),
        judged_s=max(_seconds(face.judged_s), 0.0),
        reasons=face.reasons,
        kinds=_weights(face.kinds),
        contributions_nats=_numbers(face.contributions),
        evidence=_evidence(face.sentences),
    )


class EventBuilder:
    """Builds the events of one node; `new_id` gives unique ids, `now` the aware wall-clock time."""

    def __init__(self, identity: Identity, new_id: Callable[[], str], now: Callable[[], datetime]) -> None:
        self.identity = identity
        self._new_id = new_id
        self._now = now

    def node(self, status: NodeStatus) -> NodeEvent:
        """The node's availability."""
        identity = self.identity
        data = NodeData(
            status=status,
            version=identity.version,
            model=identity.model,
            configuration_sha256=identity.configuration_sha256,
        )
        return NodeEvent(id=self._new_id(), source=identity.node, subject=identity.node, time=self._now(), data=data)

    def call(self, call: str, participants: tuple[ParticipantMedia, ...], *, ended: bool = False) -> CallEvent:
        """Who is in a call."""
        data = CallData(call=call, status="ended" if ended else "live", participants=participants)
        return CallEvent(id=self._new_id(), source=self.identity.node, subject=call, time=self._now(), data=data)

    def verdict(self, verdict: Verdict) -> VerdictEvent:
        """What is known of a participant."""
        data = VerdictData(
            call=verdict.call,
            participant=verdict.participant,
            media_s=_seconds(verdict.media_s),
            state=verdict.state,
            score=_score(verdict.score),
            since_s=_seconds(verdict.since_s),
            reasons=verdict.reasons,
            faces=tuple(_face(face) for face in verdict.tracks),
        )
        subject = f"{verdict.call}/{verdict.participant}"
        return VerdictEvent(id=self._new_id(), source=self.identity.node, subject=subject, time=self._now(), data=data)

    def alert(self, alert: Alert) -> AlertEvent:
        """A change of an alert."""
        data = AlertData(
            alert=alert.id,
            change=alert.change,
            call=alert.call,
            participant=alert.participant,
            track=alert.track,
            media_s=_seconds(alert.media_s),
            raised_s=_seconds(alert.raised_s),
            score=_score(alert.score),
            kinds=_weights(alert.kinds),
            evidence=_evidence(alert.sentences),
            contributions_nats=_numbers(alert.contributions),
            timeline=tuple(_step(each) for each in alert.timeline[-MAX_STEPS:]),
            model=self.identity.model,
            configuration_sha256=self.identity.configuration_sha256,
        )
        subject = f"{alert.call}/{alert.participant}"
        return AlertEvent(id=self._new_id(), source=self.identity.node, subject=subject, time=self._now(), data=data)

    def challenge(self, challenge: Challenge) -> ChallengeEvent:
        """A change of a challenge."""
        data = challenge_data(challenge)
        subject = f"{challenge.call}/{challenge.participant}"
        return ChallengeEvent(
            id=self._new_id(), source=self.identity.node, subject=subject, time=self._now(), data=data
        )


def challenge_data(challenge: Challenge) -> ChallengeData:
    """A challenge as it is told."""
    return ChallengeData(
        challenge=challenge.id,
        call=challenge.call,
        participant=challenge.participant,
        kind=challenge.kind,
        state=challenge.state,
        media_s=_finite(challenge.media_s, 3),
        sentence=challenge.sentence[:MAX_SENTENCE_CHARS],
        asked=challenge.asked,
        measurements=_numbers(challenge.measurements),
    )
