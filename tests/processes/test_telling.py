# SPDX-License-Identifier: Apache-2.0
"""Published in the place of processes: what they say, then what they leave open."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from structlog.testing import capture_logs

from monitor.config import EvidenceSettings, MqttSettings, Settings
from monitor.outlet import Desk
from monitor.processes.messages import AlertTold, CallTold
from monitor.processes.telling import Telling
from monitor.publish.events import AlertEvent, CallEvent, Event, ParticipantMedia, VerdictEvent
from monitor.publish.explanations.album import open_album
from monitor.publish.explanations.desk import ExplanationDesk
from monitor.publish.explanations.pictures import Pictures
from monitor.publish.identity import identify
from monitor.publish.publisher import Publisher
from monitor.values import Alert, AlertChange, State, Verdict
from tests.fakes.looks import worst_look

ALERT = Alert("x", AlertChange.RAISED, "c", "p", 1, 5.0, 2.0, 0.9, {}, ("It blends.",), {"detector": 9.0})
MEDIA = ParticipantMedia(participant="p", stalled=False, received_frames=1, sampled_frames=1, dropped_frames=0)


@asynccontextmanager
async def told_by_two() -> AsyncIterator[tuple[Telling, list[Event], ExplanationDesk]]:
    """Two processes in front of a publisher without a broker."""
    settings = Settings(mqtt=MqttSettings(broker="none"), evidence=EvidenceSettings())
    events: list[Event] = []
    async with (
        Publisher(settings, identify(settings, "1"), [events.append]) as publisher,
        Pictures(open_album(settings)) as pictures,
    ):
        explanations = ExplanationDesk(pictures)
        yield Telling(Desk(publisher, explanations), 2), events, explanations


async def test_an_alert_raised_right_before_the_end_of_its_process_is_told_and_cleared() -> None:
    """It can be explained by what led to it; its call ends, the other process's stays open."""
    async with told_by_two() as (telling, events, explanations):
        await telling.tell(1, CallTold("other", (MEDIA,)))
        await telling.tell(0, CallTold("c", (MEDIA,)))
        await telling.tell(0, Verdict("c", "p", 5.0, State.ALERT, 0.9, 1.0, (), ()))
        await telling.tell(0, AlertTold(ALERT, (worst_look(4.0, 3.0),)))
        await telling.end(0)
        await telling.end(0)
        assert [event.data.change for event in events if isinstance(event, AlertEvent)] == ["raised", "cleared"]
        assert {event.data.alert for event in events if isinstance(event, AlertEvent)} == {"x"}
        assert [event.data.state for event in events if isinstance(event, VerdictEvent)] == ["alert", "inconclusive"]
        ended = [event.data.call for event in events if isinstance(event, CallEvent) and event.data.status == "ended"]
        assert ended == ["c"]
        assert [look.media_s for look in (await explanations.explanation("x")).looks] == [4.0]


async def test_what_cannot_be_told_costs_only_itself() -> None:
    """It is logged; the next word is told."""
    told = []

    class Faulty(Desk):
        async def verdict(self, verdict: Verdict) -> None:
            raise ValueError("no such verdict")

        def call_state(self, call: str, participants: Sequence[ParticipantMedia]) -> None:
            told.append(call)

    telling = Telling(Faulty(None, None), 1)
    with capture_logs() as lines:
        await telling.tell(0, Verdict("c", "p", 5.0, State.ALERT, 0.9, 1.0, (), ()))
        await telling.tell(0, CallTold("d", (MEDIA,)))
    assert [line["event"] for line in lines] == ["telling_failed"]
    assert told == ["d"]
