# SPDX-License-Identifier: Apache-2.0
"""Several processes: two calls live apart, one of the processes is killed, the other call never notices."""

import asyncio
import contextlib
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from monitor.app import serving_processes
from monitor.config import HttpSettings, LoadSettings, MqttSettings, NodeSettings, PathsSettings, Settings, WhipSettings
from monitor.errors import PushError
from monitor.processes.fleet import Fleet
from monitor.publish.events import CallEvent, Event, VerdictEvent, parse
from monitor.push import push
from monitor.values import State
from tests.fakes.blue import load_blue
from tests.fakes.brokers import hear
from tests.fakes.calls import until
from tests.fakes.media import sample

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
TOKEN = "a-token-for-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def settings(folder: Path) -> Settings:
    """Two processes that take calls, on free ports."""
    return Settings(
        node=NodeSettings(processes=2),
        load=LoadSettings(enabled=False),
        http=HttpSettings(port=0),
        whip=WhipSettings(tokens=(SecretStr(TOKEN),)),
        mqtt=MqttSettings(port=0),
        paths=PathsSettings(state=folder / "state"),
    )


def about(events: list[Event], call: str, kind: type[Event]) -> list[Event]:
    """Events of one kind about a call."""
    return [event for event in events if isinstance(event, kind) and event.data.call == call]


def judged(events: list[Event], call: str) -> list[VerdictEvent]:
    """Verdicts on faces of a call."""
    return [
        event for event in events if isinstance(event, VerdictEvent) and event.data.call == call and event.data.faces
    ]


async def cut_off(clip: Path, url: str) -> None:
    """Publish until the process behind it is gone."""
    with contextlib.suppress(PushError):
        await push(clip, url, TOKEN, loop=True)


async def metric(fleet: Fleet, name: str) -> float:
    """The sum of a metric over all processes."""
    async with aiohttp.ClientSession(fleet.url) as http, http.get("/metrics") as answer:
        lines = [line for line in (await answer.text()).splitlines() if line.startswith(name)]
    return sum(float(line.split()[-1]) for line in lines)


async def exceeds(fleet: Fleet, name: str, least: float) -> bool:
    """Whether a metric gets beyond a number: the processes tell theirs once a second."""
    for _ in range(100):
        if await metric(fleet, name) > least:
            return True
        await asyncio.sleep(0.2)
    return False


async def test_a_killed_process_costs_its_own_calls_alone(tmp_path: Path) -> None:
    """Verdicts come over MQTT; the killed process's call is closed, taken again, and what it was asked is known."""
    sample("face_landmarker")
    clip = sample("pexels_woman")
    async with AsyncExitStack() as stack:
        fleet = await serving_processes(stack, settings(tmp_path), load=load_blue)
        hearing = await stack.enter_async_context(hear(fleet.publisher.address[1], "lifesign/v1/calls/#"))
        told: list[Event] = []
        fleet.publisher.sinks.append(told.append)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        url = f"{fleet.url}/whip"
        staying = group.create_task(push(clip, f"{url}/one/ann", TOKEN, loop=True))
        lost = group.create_task(cut_off(clip, f"{url}/two/bob"))
        await until(lambda: judged(told, "one") and judged(told, "two"), 45.0)
        assert {fleet.placement.find("one"), fleet.placement.find("two")} == {0, 1}
        await until(lambda: fleet.placement.participants == 2)
        assert all(check.ok for check in fleet.checks().values()), fleet.checks()
        async with aiohttp.ClientSession(fleet.url, headers=BEARER) as http:
            path = "/v1/calls/two/participants/bob/challenges"
            async with http.post(path, json={"kind": "turn_head"}) as answer:
                assert answer.status == 201, await answer.text()
            async with http.post("/v1/calls/two/participants/eve/challenges", json={"kind": "turn_head"}) as answer:
                assert answer.status == 404

            child = fleet.ingests[fleet.placement.find("two")]
            os.kill(child.pid, signal.SIGKILL)
            await until(lambda: fleet.placement.find("two") is None)
            assert not fleet.checks()[child.name].ok
            assert [event.data.state for event in about(told, "two", VerdictEvent)][-1] is State.INCONCLUSIVE
            assert [event.data.status for event in about(told, "two", CallEvent)][-1] == "ended"
            async with http.get("/v1/calls/two") as answer:
                assert answer.status == 404
            lost.cancel()
            counts = {call: len(judged(told, call)) for call in ("one", "two")}
            again = group.create_task(push(clip, f"{url}/two/bob", TOKEN, loop=True))
            await until(lambda: all(len(judged(told, call)) > count for call, count in counts.items()), 45.0)
            await until(lambda: child.restarts == 1)
            assert await metric(fleet, "lifesign_process_restarts_total") == 1
            assert await exceeds(fleet, "lifesign_liveness_crops_total", 5)
        assert not staying.done()
        for task in (staying, again):
            task.cancel()
        payloads = [parse(message.payload) for message in hearing.messages if message.payload]
    assert {event.data.call for event in payloads} == {"one", "two"}
    assert all(child.pid is None for child in fleet.children)
