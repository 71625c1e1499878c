# SPDX-License-Identifier: Apache-2.0
"""What one ingest process told in; what has to be told in its place once it is gone out; pure."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TypeVar

from monitor.processes.messages import AlertTold, CallEnded, CallTold, ParticipantLeft
from monitor.values import Alert, AlertChange, Challenge, ChallengeState, Reason, State, Verdict

__all__ = ["LOST", "Mirror"]

LOST: Final = "The process that watched this participant was lost; what led to the alert stays as it was told."
LOST_CHALLENGE: Final = "The process that watched the participant was lost while the challenge ran."
OPEN: Final = frozenset({ChallengeState.WAITING, ChallengeState.RUNNING})

Value = TypeVar("Value")
Told = AlertTold | CallTold | CallEnded | ParticipantLeft | Challenge | Verdict


class Mirror:
    """The calls, verdicts, open alerts and open challenges of one ingest process, as last told."""

    def __init__(self) -> None:
        self._calls: dict[str, CallTold] = {}
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._alerts: dict[str, Alert] = {}
        self._challenges: dict[str, Challenge] = {}

    def see(self, told: Told) -> None:
        """Take in what was told."""
        match told:
            case AlertTold(alert):
                _keep(self._alerts, alert.id, alert, kept=alert.change is not AlertChange.CLEARED)
            case Challenge():
                _keep(self._challenges, told.id, told, kept=told.state in OPEN)
            case Verdict():
                self._verdicts[told.call, told.participant] = told
            case ParticipantLeft(call, participant):
                self._verdicts.pop((call, participant), None)
            case CallTold():
                self._calls[told.call] = told
            case CallEnded(call):
                self._calls.pop(call, None)

    def last_words(self) -> tuple[Told, ...]:
        """What ends everything that is open, in the order in which a process would have told it; then nothing is."""
        words = (*self._cleared(), *self._ended())
        for held in (self._calls, self._verdicts, self._alerts, self._challenges):
            held.clear()
        return words

    def _cleared(self) -> Iterator[Told]:
        for challenge in self._challenges.values():
            yield replace(challenge, state=ChallengeState.INCONCLUSIVE, sentence=LOST_CHALLENGE)
        for alert in self._alerts.values():
            cleared = replace(alert, change=AlertChange.CLEARED, sentences=(LOST, *alert.sentences))
            yield AlertTold(cleared, ())

    def _ended(self) -> Iterator[Told]:
        for verdict in self._verdicts.values():
            yield replace(verdict, state=State.INCONCLUSIVE, reasons=(Reason.STALLED,), tracks=())
        for call, participant in self._verdicts:
            yield ParticipantLeft(call, participant)
        for call in {*self._calls, *(call for call, _ in self._verdicts)}:
            yield CallEnded(call)


def _keep(held: dict[str, Value], key: str, value: Value, *, kept: bool) -> None:
    if kept:
        held[key] = value
    else:
        held.pop(key, None)
