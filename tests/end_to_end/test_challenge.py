# SPDX-License-Identifier: Apache-2.0
"""A real browser opens the page of a challenge, joins by its camera, is asked, and is judged by its picture."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.publish.events import ChallengeEvent, Event, VerdictEvent
from monitor.service import Service
from tests.end_to_end.conftest import TOKEN, Open
from tests.fakes.browser import camera_file, chromium
from tests.fakes.calls import until
from tests.fakes.media import sample

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
WHO = "/v1/calls/bank/participants/ann"
VERDICTS = {"passed", "failed", "inconclusive"}

TURNS = (157.4, 3.1)
"""Where in the sample the man looks ahead for 1.6 s, then turns his head to his own right by 22 degrees."""

STILL = (60.0, 9.5)
"""Where he looks ahead all the time."""


def states(events: list[Event]) -> list[str]:
    """States of the challenge, as they were published."""
    return [event.data.state for event in events if isinstance(event, ChallengeEvent)]


async def invited(service: Service) -> str:
    """The address a participant is sent."""
    async with (
        aiohttp.ClientSession(service.url, headers=OPERATOR) as http,
        http.post(f"{WHO}/invitations") as answer,
    ):
        assert answer.status == 201
        return service.url + (await answer.json())["page"]


async def asked(service: Service, order: dict[str, Any]) -> None:
    """Ask the participant something, as an operator does."""
    async with (
        aiohttp.ClientSession(service.url, headers=OPERATOR) as http,
        http.post(f"{WHO}/challenges", json=order) as answer,
    ):
        assert answer.status == 201, await answer.text()


async def judged(open_monitor: Open, camera: Path, folder: Path, order: dict[str, Any]) -> list[Event]:
    """Everything that is published until the browser with this camera has been judged.

    A busy machine looks too seldom to follow a fast movement, which is inconclusive: then the operator asks again.
    """
    events: list[Event] = []
    async with open_monitor() as service:
        service.publisher.sinks.append(events.append)
        async with chromium(await invited(service), camera, folder):
            await until(lambda: any(isinstance(e, VerdictEvent) and e.data.faces for e in events), 60.0)
            for asks in range(1, 4):
                await asked(service, order)
                await until(lambda asks=asks: sum(state in VERDICTS for state in states(events)) == asks, 60.0)
                if states(events)[-1] != "inconclusive":
                    break
            seen = len(events)
            await until(lambda: len([e for e in events[seen:] if isinstance(e, VerdictEvent)]) >= 5, 20.0)
    return events


ORDER = {"kind": "turn_head", "directions": ["right"], "angle_deg": 15, "deadline_s": 45}


async def test_a_camera_that_answers_passes(open_monitor: Open, tmp_path: Path) -> None:
    """The man turns his head to his right after he was asked to: waiting, running, passed, with what was measured."""
    camera = camera_file(sample("franck"), tmp_path / "camera.mjpeg", TURNS[1], TURNS[0], swing=True)
    events = await judged(open_monitor, camera, tmp_path / "profile", ORDER)
    last = [event.data for event in events if isinstance(event, ChallengeEvent)][-1]
    assert states(events)[-3:] == ["waiting", "running", "passed"], last
    assert "failed" not in states(events)
    assert last.asked[-1] == "right"
    assert 0.3 <= last.measurements["slowest_answer_s"] <= 4.0


async def test_a_camera_that_does_not_answer_fails(open_monitor: Open, tmp_path: Path) -> None:
    """A man who looks ahead whatever he is asked fails, and the verdict on his face says so."""
    camera = camera_file(sample("franck"), tmp_path / "camera.mjpeg", STILL[1], STILL[0], swing=True)
    events = await judged(open_monitor, camera, tmp_path / "profile", ORDER)
    last = [event.data for event in events if isinstance(event, ChallengeEvent)][-1]
    assert states(events)[-3:] == ["waiting", "running", "failed"], last
    assert "passed" not in states(events)
    nats = [
        face.contributions_nats.get("challenge", 0.0)
        for event in events
        if isinstance(event, VerdictEvent)
        for face in event.data.faces
    ]
    assert max(nats) > 1.0
