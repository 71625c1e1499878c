# SPDX-License-Identifier: Apache-2.0
"""A node without processor time takes nobody in, and keeps whom it has."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI

from monitor.capture.whip import WhipServer
from monitor.config import Settings, WhipSettings
from tests.fakes.calls import TOKEN, Watcher, serving
from tests.fakes.machine import FakeMachine
from tests.fakes.whip import SDP, offer_of, refusal


@asynccontextmanager
async def busy_server(busy: Callable[[int], str | None]) -> AsyncIterator[tuple[WhipServer, str]]:
    """A real WHIP server that asks before it takes anybody in."""
    settings = Settings(whip=WhipSettings(tokens=(TOKEN,), max_participants=50, retry_after_s=7))
    app = FastAPI()
    async with WhipServer(settings, Watcher().admit, busy=lambda: busy(server.sessions)) as server:
        app.include_router(server.router)
        async with serving(app) as url:
            yield server, f"{url}/whip"


async def test_an_overloaded_service_refuses_the_next_session(http: aiohttp.ClientSession) -> None:
    """503 with a reason and Retry-After; the same participant may publish anew; later there is room again."""
    machine, offer = FakeMachine(1.0), await offer_of("video")
    guard = machine.guard(5.0)
    async with busy_server(guard.refusal) as (server, url):
        async with http.post(f"{url}/call/ann", data=offer, headers=SDP) as response:
            assert response.status == 201
        machine.participants, machine.others = 1, 0.9
        machine.run(guard, 12)
        assert guard.most_per_s == 2.0
        async with http.post(f"{url}/call/bob", data=offer, headers=SDP) as response:
            body = await refusal(response, 503, "overload")
            assert response.headers["Retry-After"] == "7"
            assert "overloaded" in body["detail"]
        async with http.post(f"{url}/call/ann", data=offer, headers=SDP) as response:
            assert response.status == 201
        assert (server.sessions, dict(server.refused_counts)) == (1, {"overload": 1})
        machine.others = 0.0
        machine.run(guard, 40)
        async with http.post(f"{url}/call/bob", data=offer, headers=SDP) as response:
            assert response.status == 201


async def test_offers_answered_at_the_same_time_share_no_place(http: aiohttp.ClientSession) -> None:
    """Twelve come at once, before anything is measured: no more are taken in than fit at the fewest looks."""
    guard, offer = FakeMachine(1.0).guard(), await offer_of("video")

    async def publish(number: int) -> int:
        async with http.post(f"{url}/call/p{number}", data=offer, headers=SDP) as response:
            return response.status

    async with busy_server(guard.refusal) as (server, url):
        places = guard.places(0)
        statuses = await asyncio.gather(*map(publish, range(12)))
        assert 0 < places < 12
        assert sorted(statuses) == [201] * places + [503] * (12 - places)
        assert server.sessions == places
