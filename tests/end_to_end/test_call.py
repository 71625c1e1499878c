# SPDX-License-Identifier: Apache-2.0
"""A real WebRTC call in, the right alert over a real broker out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from monitor.errors import PushError
from monitor.publish.events import AlertEvent, CallEvent, Event, NodeEvent, VerdictEvent, parse
from monitor.push import push
from monitor.service import Service
from monitor.values import AlertChange, State
from tests.end_to_end.conftest import TOKEN, Open
from tests.fakes.brokers import Mosquitto, hear
from tests.fakes.calls import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


def of(events: list[Event], kind: type[Event], participant: str) -> list[Event]:
    """Events of one kind about one participant."""
    return [event for event in events if isinstance(event, kind) and event.data.participant == participant]


@asynccontextmanager
async def heard(port: int) -> AsyncIterator[list[Event]]:
    """Every event a stranger reads from the broker meanwhile."""
    events: list[Event] = []
    async with hear(port, "lifesign/v1/#") as hearing:
        yield events
        events += [parse(message.payload) for message in hearing.messages if message.payload]


async def speak(service: Service, clips: dict[str, Path], **codec: str) -> None:
    """Let everybody play their clip into one call, and wait for its end."""
    async with asyncio.TaskGroup() as group:
        for who, clip in clips.items():
            group.create_task(push(clip, f"{service.url}/whip/call/{who}", TOKEN, **codec))
    await service.calls.all_ended()
    assert await service.publisher.flush(10.0)


@pytest.mark.parametrize("broker", ["iotcore", "mosquitto"])
async def test_the_forged_participant_is_alerted_and_the_genuine_one_is_not(
    broker: str, open_monitor: Open, clips: dict[str, Path], tmp_path: Path
) -> None:
    """Two callers in one call: verdicts of both, one alert raised and cleared with one id, and the call's end."""
    if broker == "mosquitto":
        with Mosquitto(tmp_path / "mosquitto") as server:
            async with open_monitor(broker="external", port=server.port) as service:
                await check(service, server.port, clips)
    else:
        async with open_monitor() as service:
            assert service.publisher.address is not None
            await check(service, service.publisher.address[1], clips)


async def check(service: Service, port: int, clips: dict[str, Path]) -> None:
    """Run the call and look at what the broker carried."""
    assert await service.publisher.connected(10.0)
    async with heard(port) as events:
        await speak(service, clips)
        await asyncio.sleep(0.5)
    changes = [event.data for event in of(events, AlertEvent, "blue")]
    assert [data.change for data in changes] == [AlertChange.RAISED, AlertChange.CLEARED]
    assert len({data.alert for data in changes}) == 1
    assert not of(events, AlertEvent, "genuine")
    assert {event.data.state for event in of(events, VerdictEvent, "genuine")} <= {State.INCONCLUSIVE, State.CLEAR}
    assert State.ALERT in {event.data.state for event in of(events, VerdictEvent, "blue")}
    assert any(isinstance(event, NodeEvent) and event.data.status == "online" for event in events)
    calls = [event.data for event in events if isinstance(event, CallEvent)]
    assert max(len(data.participants) for data in calls) == 2


async def test_h264_callers_are_judged_too(open_monitor: Open, clips: dict[str, Path]) -> None:
    """The other codec that browsers send by default gives the same alert."""
    async with open_monitor() as service:
        assert service.publisher.address is not None
        async with heard(service.publisher.address[1]) as events:
            await speak(service, {"blue": clips["blue"]}, codec="h264")
            await asyncio.sleep(0.5)
        assert [event.data.change for event in of(events, AlertEvent, "blue")][:1] == [AlertChange.RAISED]


async def test_health_metrics_and_api_show_the_call_while_it_runs(open_monitor: Open, clips: dict[str, Path]) -> None:
    """During the call: ready, the participant in the API, counted in the metrics, and no id in any label."""
    async with open_monitor() as service, aiohttp.ClientSession(service.url) as http, asyncio.TaskGroup() as group:
        assert await service.publisher.connected(10.0)
        caller = group.create_task(push(clips["genuine"], f"{service.url}/whip/room-7/ann-4711", TOKEN))
        await until(lambda: service.engine.counts.crops > 5)
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/v1/calls", 401)):
            async with http.get(path) as answer:
                assert answer.status == status, await answer.text()
        view = await (await http.get("/v1/calls/room-7", headers={"Authorization": f"Bearer {TOKEN}"})).json()
        assert view["participants"][0]["participant"] == "ann-4711"
        metrics = await (await http.get("/metrics")).text()
        assert "lifesign_participants 1.0" in metrics
        assert 'lifesign_stage_seconds_count{stage="faces"}' in metrics
        assert "4711" not in metrics
        assert "room-7" not in metrics
        caller.cancel()


async def test_a_monitor_that_stops_says_goodbye_to_the_call(open_monitor: Open, clips: dict[str, Path]) -> None:
    """Stopping in mid-call closes verdicts and alerts: what was retained is emptied, the open alert is cleared."""
    events: list[Event] = []
    async with open_monitor() as service:
        service.publisher.sinks.append(events.append)
        caller = asyncio.create_task(push(clips["blue"], f"{service.url}/whip/call/blue", TOKEN, loop=True))
        await until(lambda: of(events, AlertEvent, "blue"))
    with pytest.raises(PushError):
        await caller
    assert [event.data.change for event in of(events, AlertEvent, "blue")][-1] is AlertChange.CLEARED
    assert isinstance(events[-1], NodeEvent)
    assert events[-1].data.status == "offline"
