# SPDX-License-Identifier: Apache-2.0
"""What is found out about participants in; to the publisher and the desk that explains it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.publish.delivery import Check
from monitor.publish.events import ParticipantMedia
from monitor.publish.explanations.desk import ExplanationDesk
from monitor.publish.publisher import Publisher
from monitor.values import Alert, Challenge, Verdict, WorstLook

__all__ = ["Desk", "Outlet"]


class Outlet(Protocol):
    """Where calls are told of: a publisher of this process, or the one of the main process."""

    async def alert(self, alert: Alert, looks: Sequence[WorstLook]) -> None:
        """Tell a change of an alert, and what it rests on."""
        ...

    async def verdict(self, verdict: Verdict) -> None:
        """Tell what is known of a participant."""
        ...

    async def challenge(self, challenge: Challenge) -> None:
        """Tell a change of a challenge."""
        ...

    def call_state(self, call: str, participants: Sequence[ParticipantMedia]) -> None:
        """Tell who is in a call."""
        ...

    def participant_left(self, call: str, participant: str) -> None:
        """Tell that a participant's verdict is over."""
        ...

    def call_ended(self, call: str) -> None:
        """Tell that nobody is left in a call."""
        ...

    def checks(self) -> Mapping[str, Check]:
        """Whether what is told arrives."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """The outlet of the process that publishes."""

    publisher: Publisher
    explanations: ExplanationDesk

    async def alert(self, alert: Alert, looks: Sequence[WorstLook]) -> None:
        """Publish a change of an alert; it is on the disk when this returns, and can be explained."""
        self.explanations.take(await self.publisher.alert(alert), looks)

    async def verdict(self, verdict: Verdict) -> None:
        """Publish what is known of a participant."""
        await self.publisher.verdict(verdict)

    async def challenge(self, challenge: Challenge) -> None:
        """Publish a change of a challenge; it is on the disk when this returns."""
        await self.publisher.challenge(challenge)

    def call_state(self, call: str, participants: Sequence[ParticipantMedia]) -> None:
        """Publish who is in a call."""
        self.publisher.call_state(call, participants)

    def participant_left(self, call: str, participant: str) -> None:
        """Empty a participant's verdict."""
        self.publisher.participant_left(call, participant)

    def call_ended(self, call: str) -> None:
        """Empty everything retained of a call."""
        self.publisher.call_ended(call)

    def checks(self) -> Mapping[str, Check]:
        """Readiness of the broker and the outbox."""
        return self.publisher.checks()
