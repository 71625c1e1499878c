# SPDX-License-Identifier: Apache-2.0
"""What an ingest process finds out in; told to the main process, which publishes it, out."""

import contextlib
from collections.abc import Mapping, Sequence

from monitor.processes.channel import Channel
from monitor.processes.messages import AlertTold, CallEnded, CallTold, ParticipantLeft
from monitor.publish.delivery import Check
from monitor.publish.events import ParticipantMedia
from monitor.values import Alert, Challenge, Verdict, WorstLook

__all__ = ["Relay"]


class Relay:
    """The outlet of an ingest process.

    What is told has left this process when the call returns, and is published even if the process dies then. A main
    process that is behind is waited for; one that is gone takes this process with it.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def alert(self, alert: Alert, looks: Sequence[WorstLook]) -> None:
        """Tell a change of an alert, and what it rests on."""
        await self._tell(AlertTold(alert, tuple(looks)))

    async def verdict(self, verdict: Verdict) -> None:
        """Tell what is known of a participant."""
        await self._tell(verdict)

    async def challenge(self, challenge: Challenge) -> None:
        """Tell a change of a challenge."""
        await self._tell(challenge)

    def call_state(self, call: str, participants: Sequence[ParticipantMedia]) -> None:
        """Tell who is in a call."""
        self._channel.send(CallTold(call, tuple(participants)))

    def participant_left(self, call: str, participant: str) -> None:
        """Tell that a participant's verdict is over."""
        self._channel.send(ParticipantLeft(call, participant))

    def call_ended(self, call: str) -> None:
        """Tell that nobody is left in a call."""
        self._channel.send(CallEnded(call))

    def checks(self) -> Mapping[str, Check]:
        """None: the main process knows whether what is published arrives."""
        return {}

    async def _tell(self, message: object) -> None:
        self._channel.send(message)
        with contextlib.suppress(ConnectionError):
            await self._channel.settle()
