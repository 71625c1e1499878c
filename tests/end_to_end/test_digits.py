# SPDX-License-Identifier: Apache-2.0
"""A real browser whose microphone says other digits than those it is shown is judged by what is heard."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import aiohttp
import numpy as np
import pytest

from models.digits.recogniser import installed
from monitor.liveness.challenge.digits import digits
from monitor.publish.events import ChallengeData, ChallengeEvent, Event
from monitor.service import Service
from tests.end_to_end.conftest import TOKEN, Open
from tests.fakes.browser import camera_file, chromium
from tests.fakes.calls import until
from tests.fakes.media import sample
from tests.fakes.speaker import microphone, said_at

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not installed(), reason="pip install 'lifesign[speech]'"),
]
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
WHO = "/v1/calls/bank/participants/ann"
SEED = 11
MARKER_S = 6.0
SHOWN_AFTER_S = 1.4
"""From the marker to the first look that is judged: the order, the page's next question, the next picture."""

SAID_AFTER_S = 0.8
LOUD = 1000.0
SILENT = (20.0, 0.5)
"""Where in the sample the man keeps his lips as they are; played there and back."""


async def post(service: Service, path: str, **body: object) -> dict:
    """Ask as an operator."""
    async with (
        aiohttp.ClientSession(service.url, headers=OPERATOR) as http,
        http.post(f"{WHO}/{path}", json=body) as answer,
    ):
        assert answer.status == 201, await answer.text()
        return await answer.json()


def marked(service: Service) -> bool:
    """Whether the microphone has just said its marker."""
    feed = service.calls.feeds("bank").get("ann")
    sound = [chunk.samples for chunk in feed.heard(0.3)] if feed else []
    return bool(sound) and float(np.sqrt(np.square(np.concatenate(sound), dtype=float).mean())) > LOUD


def verdicts(events: Sequence[Event]) -> list[ChallengeData]:
    """Challenges that have ended, as they were published."""
    told = [event.data for event in events if isinstance(event, ChallengeEvent)]
    return [data for data in told if data.state in {"passed", "failed", "inconclusive"}]


async def judged(open_monitor: Open, folder: Path, say: Sequence[int]) -> ChallengeData:
    """The verdict on a browser that says these digits when those of SEED are shown."""
    edges_s = digits(Random(SEED))._edges_s
    times_s = [MARKER_S + SHOWN_AFTER_S + edge_s + SAID_AFTER_S for edge_s in edges_s[:-1]]
    sound = said_at(say, times_s, MARKER_S, times_s[-1] + 5.0, folder)
    speaker = microphone(sound, folder / "said.wav")
    camera = camera_file(sample("franck"), folder / "camera.mjpeg", SILENT[1], SILENT[0], swing=True)
    events: list[Event] = []
    async with open_monitor() as service:
        service.publisher.sinks.append(events.append)
        service.challenges.seeds = lambda: SEED
        page = service.url + (await post(service, "invitations"))["page"]
        async with chromium(page, camera, folder / "profile", speaker):
            for asks in range(1, 6):
                # A busy machine hears too late or looks too seldom, which is inconclusive: then it is asked again.
                await until(lambda: marked(service), 90.0)
                await post(service, "challenges", kind="say_digits")
                await until(lambda asks=asks: len(verdicts(events)) == asks, 60.0)
                if verdicts(events)[-1].state != "inconclusive":
                    break
    return verdicts(events)[-1]


async def test_who_says_other_digits_fails(open_monitor: Open, tmp_path: Path) -> None:
    """An answer recorded for another challenge, in the same voice and rhythm."""
    others = [(digit + 3) % 10 for digit in digits(Random(SEED))._digits]
    told = await judged(open_monitor, tmp_path, others)
    assert told.state == "failed", told
    assert told.measurements["share_right"] <= 0.5
