# SPDX-License-Identifier: Apache-2.0
"""What load balancers and Prometheus see."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from fastapi import FastAPI

from monitor.config import HttpSettings
from monitor.health import Check, router
from monitor.server import listen, serve

GOOD = {"model": Check(True, "judges"), "broker": Check(True, "connected")}
BAD = GOOD | {"broker": Check(False, "no connection to 192.0.2.1:1883")}


@pytest.fixture
async def checks() -> dict[str, Check]:
    """The checks that the served application reports."""
    return dict(GOOD)


@pytest.fixture
async def client(checks: dict[str, Check]) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the health routes on a real socket."""
    app = FastAPI()
    app.include_router(router(lambda: checks, lambda: b"lifesign_up 1\n"))
    settings = HttpSettings(port=0)
    async with serve(app, settings, listen(settings)) as url, aiohttp.ClientSession(url) as session:
        yield session


async def test_alive_while_the_loop_turns(client: aiohttp.ClientSession, checks: dict[str, Check]) -> None:
    """A failing check does not get the process killed."""
    checks |= BAD
    async with client.get("/healthz") as answer:
        assert (answer.status, await answer.text()) == (200, "ok\n")


async def test_ready_when_every_check_is_ok(client: aiohttp.ClientSession) -> None:
    """Every check is named with its reason, and nobody may cache the answer."""
    async with client.get("/readyz") as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await answer.json())["checks"]["model"] == {"ok": True, "reason": "judges"}


async def test_not_ready_says_why(client: aiohttp.ClientSession, checks: dict[str, Check]) -> None:
    """503 with the reason, beside the checks that are ok."""
    checks |= BAD
    async with client.get("/readyz") as answer:
        body = await answer.json()
        assert (answer.status, body["ready"]) == (503, False)
        assert body["checks"]["broker"] == {"ok": False, "reason": "no connection to 192.0.2.1:1883"}


async def test_metrics_are_prometheus_text(client: aiohttp.ClientSession) -> None:
    """The content type names the format's version."""
    async with client.get("/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert await answer.read() == b"lifesign_up 1\n"
