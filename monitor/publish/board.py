# SPDX-License-Identifier: Apache-2.0
"""Events in, what is known now out: nodes, calls, participants, and the newest word on each alert."""

from collections.abc import Iterator
from typing import Final

from monitor.publish.events import AlertEvent, CallEvent, Event, NodeEvent, VerdictEvent
from monitor.publish.topics import Address, Channel
from monitor.values import AlertChange

__all__ = ["Board"]

# Alerts outlive their calls here, so that a late look still sees them; the oldest go first.
_MAX_ALERTS: Final = 500


class Board:
    """The newest event of every node, call, participant and alert."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeEvent] = {}
        self.calls: dict[str, CallEvent] = {}
        self.verdicts: dict[tuple[str, str], VerdictEvent] = {}
        self.alerts: dict[str, AlertEvent] = {}

    def apply(self, event: Event) -> None:
        """Take in an event."""
        match event:
            case NodeEvent():
                self.nodes[event.source] = event
            case CallEvent():
                self._call(event)
            case VerdictEvent():
                self.verdicts[event.data.call, event.data.participant] = event
            case AlertEvent():
                self._alert(event)

    def forget(self, address: Address) -> None:
        """A retained topic was emptied: nothing is known of its subject any more."""
        match address.channel:
            case Channel.NODE:
                self.nodes.pop(address.node, None)
            case Channel.CALL:
                self._end(address.call)
            case Channel.VERDICT:
                self.verdicts.pop((address.call, address.participant), None)

    def participants(self, call: str) -> tuple[str, ...]:
        """Everybody known in a call, sorted."""
        state = self.calls.get(call)
        listed = {media.participant for media in state.data.participants} if state else set()
        judged = {participant for of, participant in self.verdicts if of == call}
        return tuple(sorted(listed | judged))

    def all_calls(self) -> tuple[str, ...]:
        """Every call known, sorted."""
        return tuple(sorted({*self.calls, *(call for call, _ in self.verdicts)}))

    def open_alerts(self, call: str) -> tuple[AlertEvent, ...]:
        """Alerts of a call that are not cleared, oldest first."""
        alerts = self.alerts.values()
        return tuple(a for a in alerts if a.data.call == call and a.data.change is not AlertChange.CLEARED)

    def everything(self) -> Iterator[Event]:
        """All that is known, as events."""
        yield from self.nodes.values()
        yield from self.calls.values()
        yield from self.verdicts.values()
        yield from self.alerts.values()

    def _call(self, event: CallEvent) -> None:
        if event.data.status == "ended":
            self._end(event.data.call)
            return
        self.calls[event.data.call] = event
        present = {media.participant for media in event.data.participants}
        for call, participant in list(self.verdicts):
            if call == event.data.call and participant not in present:
                del self.verdicts[call, participant]

    def _end(self, call: str) -> None:
        self.calls.pop(call, None)
        self.verdicts = {key: event for key, event in self.verdicts.items() if key[0] != call}

    def _alert(self, event: AlertEvent) -> None:
        self.alerts[event.data.alert] = event
        while len(self.alerts) > _MAX_ALERTS:
            del self.alerts[next(iter(self.alerts))]
