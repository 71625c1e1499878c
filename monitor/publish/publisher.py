# SPDX-License-Identifier: Apache-2.0
"""Verdicts, alerts and call states in; events to the sinks and to the broker out."""

import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import structlog

from monitor.config import Settings
from monitor.publish.builder import EventBuilder
from monitor.publish.delivery import Check, Delivery, DeliveryCounts
from monitor.publish.events import AlertData, Event, NodeStatus, ParticipantMedia
from monitor.publish.identity import Identity
from monitor.publish.letter import Letter
from monitor.publish.retained import RETAINED_EXPIRY_S
from monitor.publish.throttle import Throttle
from monitor.publish.topics import Topics
from monitor.values import Alert, Challenge, Verdict

__all__ = ["Publisher", "Sink"]

log = structlog.get_logger()
Sink = Callable[[Event], None]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid.uuid4().hex


class Publisher:
    """Says what is known, to every sink at once and to the broker as soon as it can.

    Entering announces the node as online, leaving as offline, after sending what can be sent within `node.drain_s`.
    Nothing here raises for a broker that is away, refuses, or a disk that is full: see `checks` and `counts`.
    A sink that raises is counted in `sink_errors` and called again for the next event.
    """

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        sinks: Iterable[Sink] = (),
        *,
        new_id: Callable[[], str] = _new_id,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.sinks = list(sinks)
        self.sink_errors = 0
        self._settings = settings
        self._topics = Topics(settings.mqtt.root)
        self._events = EventBuilder(identity, new_id, now)
        self._delivery = None if settings.mqtt.broker == "none" else Delivery(settings, self._will)
        self._calls: dict[str, tuple[ParticipantMedia, ...]] = {}
        self._judged: dict[str, set[str]] = {}
        self._left: set[tuple[str, str]] = set()
        self._throttle = Throttle()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        if self._delivery is not None:
            await self._stack.enter_async_context(self._delivery)
        self._announce("online")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            for call in {*self._calls, *self._judged}:
                self.call_ended(call)
            self._announce("offline")
            await self.flush(self._settings.node.drain_s)
        finally:
            handled = await self._stack.__aexit__(kind, error, trace)
        return handled

    async def verdict(self, verdict: Verdict) -> None:
        """Publish what is known of a participant; retained until they leave, and not at all if they have left."""
        event = self._events.verdict(verdict)
        self._tell(event)
        if (verdict.call, verdict.participant) in self._left:
            return
        self._judged.setdefault(verdict.call, set()).add(verdict.participant)
        self._retain(self._topics.verdict(verdict.call, verdict.participant), event)

    async def alert(self, alert: Alert) -> AlertData:
        """Publish a change of an alert and give what was said; it is on the disk when this returns."""
        event = self._events.alert(alert)
        self._tell(event)
        if self._delivery is not None:
            topic = self._topics.alerts(alert.call)
            await self._delivery.keep(Letter(topic, event.payload(), expiry_s=self._settings.mqtt.alert_expiry_s))
        return event.data

    async def challenge(self, challenge: Challenge) -> None:
        """Publish a change of a challenge; it is on the disk when this returns."""
        event = self._events.challenge(challenge)
        self._tell(event)
        if self._delivery is not None:
            topic = self._topics.challenge(challenge.call, challenge.participant)
            await self._delivery.keep(Letter(topic, event.payload(), expiry_s=self._settings.mqtt.alert_expiry_s))

    def call_state(self, call: str, participants: Sequence[ParticipantMedia]) -> None:
        """Publish who is in a call and how well each is received; retained until the call ends."""
        self._calls[call] = tuple(participants)
        self._left.difference_update((call, media.participant) for media in participants)
        event = self._events.call(call, self._calls[call])
        self._tell(event)
        self._retain(self._topics.call_state(call), event)

    def participant_left(self, call: str, participant: str) -> None:
        """Empty the participant's verdict and publish the call without them."""
        self._left.add((call, participant))
        self._judged.get(call, set()).discard(participant)
        self._empty(self._topics.verdict(call, participant))
        before = self._calls.get(call, ())
        after = tuple(media for media in before if media.participant != participant)
        if after != before:
            self.call_state(call, after)

    def call_ended(self, call: str) -> None:
        """Empty everything retained of a call; the sinks hear that it ended."""
        self._calls.pop(call, None)
        for participant in self._judged.pop(call, ()):
            self._empty(self._topics.verdict(call, participant))
        self._left = {key for key in self._left if key[0] != call}
        self._tell(self._events.call(call, (), ended=True))
        self._empty(self._topics.call_state(call))

    def draining(self) -> None:
        """Announce that no new calls are taken."""
        self._announce("draining")

    async def flush(self, timeout_s: float) -> bool:
        """Wait until everything is sent; False: the broker is away or the time is over. Alerts stay in the outbox."""
        return self._delivery is None or await self._delivery.flush(timeout_s)

    async def connected(self, timeout_s: float) -> bool:
        """Wait for the broker; True at once when there is none to wait for."""
        return self._delivery is None or await self._delivery.connected(timeout_s)

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of the broker, the embedded one's too; None without a broker."""
        return None if self._delivery is None else self._delivery.address

    def checks(self) -> Mapping[str, Check]:
        """Readiness checks by name: broker, publish, outbox; none without a broker."""
        return {} if self._delivery is None else self._delivery.checks()

    @property
    def counts(self) -> DeliveryCounts:
        """Figures for metrics."""
        return DeliveryCounts() if self._delivery is None else self._delivery.counts

    def _announce(self, status: NodeStatus) -> None:
        event = self._events.node(status)
        self._tell(event)
        if self._delivery is not None:
            self._delivery.retain(Letter(self._topics.node_status(event.source), event.payload(), retain=True))

    def _will(self) -> Letter:
        event = self._events.node("offline")
        return Letter(self._topics.node_status(event.source), event.payload(), retain=True)

    def _retain(self, topic: str, event: Event) -> None:
        if self._delivery is not None:
            self._delivery.retain(Letter(topic, event.payload(), retain=True, expiry_s=RETAINED_EXPIRY_S))

    def _empty(self, topic: str) -> None:
        if self._delivery is not None:
            self._delivery.empty(topic)

    def _tell(self, event: Event) -> None:
        for sink in tuple(self.sinks):
            try:
                sink(event)
            except Exception:  # one deaf listener must not silence the others
                self.sink_errors += 1
                if self._throttle.may("sink"):
                    log.exception("sink_failed", type=event.type)
