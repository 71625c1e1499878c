# SPDX-License-Identifier: Apache-2.0
"""What ingest processes find out in; published, and ended in their place when they are gone, out."""

import structlog

from monitor.outlet import Outlet
from monitor.processes.messages import AlertTold, CallEnded, CallTold, ParticipantLeft
from monitor.processes.mirror import Mirror, Told
from monitor.values import Challenge, Verdict

__all__ = ["Telling"]

log = structlog.get_logger()


class Telling:
    """Tells at `outlet` what processes say, and remembers what each has left open.

    What cannot be told is logged and costs only itself: the process goes on, and so do all others.
    """

    def __init__(self, outlet: Outlet, processes: int) -> None:
        self._outlet = outlet
        self._mirrors = [Mirror() for _ in range(processes)]

    async def tell(self, process: int, told: Told) -> None:
        """Tell what a process says."""
        self._mirrors[process].see(told)
        await self._say(told)

    async def end(self, process: int) -> None:
        """End whatever a process that is gone has left open."""
        for word in self._mirrors[process].last_words():
            await self._say(word)

    async def _say(self, told: Told) -> None:
        try:
            await self._hand_on(told)
        except Exception:  # one call that cannot be told must not silence the others
            log.exception("telling_failed", kind=type(told).__name__, throttle="telling_failed")

    async def _hand_on(self, told: Told) -> None:
        match told:
            case AlertTold(alert, looks):
                await self._outlet.alert(alert, looks)
            case Verdict():
                await self._outlet.verdict(told)
            case Challenge():
                await self._outlet.challenge(told)
            case CallTold(call, participants):
                self._outlet.call_state(call, participants)
            case ParticipantLeft(call, participant):
                self._outlet.participant_left(call, participant)
            case CallEnded(call):
                self._outlet.call_ended(call)
