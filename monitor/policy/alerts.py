# SPDX-License-Identifier: Apache-2.0
"""The worst alerted face in, alerts raised, updated and cleared out; at most one is open per participant."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from monitor.policy.profiles import OperatingPoint
from monitor.policy.track import Moment
from monitor.values import Alert, AlertChange, AttackKind, TrackVerdict

__all__ = ["AlertDesk"]

SEVERITIES: Final = (0.5, 0.7, 0.85)
"""Scores that one bona fide observation in 1,000, 10,000 and 100,000 exceeds."""

KIND_SHIFT: Final = 0.2
"""Change of a kind's weight that a person would call another finding."""


class AlertDesk:
    """Opens, updates and closes the alert of one participant; its id stays the same from raised to cleared."""

    def __init__(self, call: str, participant: str, point: OperatingPoint, new_id: Callable[[], str]) -> None:
        self.open: Alert | None = None
        self.raised = 0
        """Alerts raised so far."""
        self._call = call
        self._participant = participant
        self._point = point
        self._new_id = new_id
        self._raised_s = self._said_s = 0.0
        self._quiet_until_s = 0.0

    def may_raise(self, now_s: float) -> bool:
        """Whether a face may enter the alert state: an alert is open already, or the refractory time is over."""
        return self.open is not None or now_s >= self._quiet_until_s

    def calm(self) -> None:
        """End the refractory time: the participant has been found clear."""
        self._quiet_until_s = 0.0

    def step(self, moment: Moment, worst: TrackVerdict | None, score: float) -> tuple[Alert, ...]:
        """Say what changed, given the worst face in alert (None: no face is) and its score."""
        if worst is None:
            held = self.open is not None and moment.now_s - self._raised_s < self._point.hold_s
            return () if held else self.close(moment)
        if self.open is None:
            return self._raise(moment, worst, score)
        changed = replace(self._alert(moment, worst, score, self.open), change=AlertChange.UPDATED)
        if moment.now_s - self._said_s < self._point.update_s or not _material(self.open, changed):
            return ()
        return self._say(moment, changed)

    def close(self, moment: Moment) -> tuple[Alert, ...]:
        """Clear the open alert, if any, and start the refractory time."""
        if self.open is None:
            return ()
        cleared = replace(self.open, change=AlertChange.CLEARED, media_s=moment.media_s)
        self.open = None
        self._quiet_until_s = moment.now_s + self._point.refractory_s
        return (cleared,)

    def _raise(self, moment: Moment, worst: TrackVerdict, score: float) -> tuple[Alert, ...]:
        self._raised_s = moment.now_s
        self.raised += 1
        return self._say(moment, self._alert(moment, worst, score, None))

    def _say(self, moment: Moment, alert: Alert) -> tuple[Alert, ...]:
        self.open = alert
        self._said_s = moment.now_s
        return (alert,)

    def _alert(self, moment: Moment, worst: TrackVerdict, score: float, before: Alert | None) -> Alert:
        return Alert(
            id=self._new_id() if before is None else before.id,
            change=AlertChange.RAISED,
            call=self._call,
            participant=self._participant,
            track=worst.track,
            media_s=moment.media_s,
            raised_s=moment.media_s if before is None else before.raised_s,
            score=score,
            kinds=worst.kinds,
            sentences=worst.sentences,
            contributions=worst.contributions,
            timeline=worst.timeline,
        )


def _material(before: Alert, after: Alert) -> bool:
    return (
        _severity(before.score) != _severity(after.score)
        or before.sentences[:1] != after.sentences[:1]
        or _other_kinds(before.kinds, after.kinds)
    )


def _severity(score: float) -> int:
    return sum(score >= bound for bound in SEVERITIES)


def _other_kinds(before: Mapping[AttackKind, float], after: Mapping[AttackKind, float]) -> bool:
    return any(abs(before.get(kind, 0.0) - after.get(kind, 0.0)) > KIND_SHIFT for kind in {*before, *after})
