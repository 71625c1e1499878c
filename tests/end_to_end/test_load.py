# SPDX-License-Identifier: Apache-2.0
"""A service that may use next to nothing: it looks less often, says so, and takes nobody else in."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from monitor.config import LoadSettings
from monitor.publish.events import CallEvent, Event
from monitor.push import push
from tests.end_to_end.conftest import TOKEN, Open
from tests.fakes.calls import until
from tests.fakes.whip import offer_of, refusal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

TIGHT = LoadSettings(budget=0.26, least_samples_per_s=2.5, down_after_s=0.5)
"""Room for one participant by what is known before any was measured; callers that send from here take more."""


async def test_a_service_without_time_thins_its_looks_and_refuses_the_next(
    open_monitor: Open, clips: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told in the call state, in readiness and in the metrics; the next session is a 503 with Retry-After."""
    events: list[Event] = []
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sdp"}
    monkeypatch.setattr("monitor.service.cores", lambda: 1.0)
    async with open_monitor(load=TIGHT) as service, aiohttp.ClientSession(service.url) as http:
        service.publisher.sinks.append(events.append)
        caller = asyncio.create_task(push(clips["genuine"], f"{service.url}/whip/call/ann", TOKEN, loop=True))
        await until(lambda: rates(events)[-1:] == [2.5])
        async with http.post("/whip/call/bob", data=await offer_of("video"), headers=headers) as response:
            await refusal(response, 503, "overload")
            assert response.headers["Retry-After"] == "10"
        ready = await (await http.get("/readyz")).json()
        assert not ready["checks"]["capacity"]["ok"]
        assert "up to 2.5 looks a second each, room for 0 more" in ready["checks"]["capacity"]["reason"]
        metrics = await (await http.get("/metrics")).text()
        assert "lifesign_samples_per_second 2.5" in metrics
        assert 'lifesign_whip_refused_total{code="overload"} 1.0' in metrics
        assert 'lifesign_load_ratio{sign="processor"}' in metrics
        caller.cancel()
    assert rates(events)[0] == 5.0


def rates(events: list[Event]) -> list[float | None]:
    """Looks a second that call states told of, in order."""
    calls = [event.data for event in events if isinstance(event, CallEvent)]
    return [media.samples_per_s for call in calls for media in call.participants]
