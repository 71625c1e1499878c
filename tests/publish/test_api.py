# SPDX-License-Identifier: Apache-2.0
"""The read-only API and the console over a real HTTP server on loopback."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from monitor.errors import RequestError, TokenError
from monitor.publish import api, page
from monitor.publish.builder import EventBuilder
from monitor.publish.events import ParticipantMedia
from monitor.publish.live import Live
from tests.fakes.brokers import until

from .conftest import IDENTITY, clock, make_alert, make_verdict

TOKEN = {"Authorization": "Bearer right"}


def authorize(request: Request) -> None:
    """The application's token check."""
    if request.headers.get("authorization") != TOKEN["Authorization"]:
        raise TokenError("No.", "Send a token.", {"WWW-Authenticate": "Bearer"})


async def refuse(request: Request, error: Exception) -> JSONResponse:
    """The application's answer to a refused request."""
    assert isinstance(error, RequestError)
    return JSONResponse({"code": error.code}, error.status, error.headers, media_type="application/problem+json")


def known() -> Live:
    """A live view with a call of two, one of them alerted."""
    live, numbers = Live(), iter(range(100))
    builder = EventBuilder(IDENTITY, lambda: f"id-{next(numbers)}", clock)
    media = tuple(ParticipantMedia(participant=name) for name in ("ann", "bob"))
    for event in (builder.call("call-1", media), builder.verdict(make_verdict()), builder.alert(make_alert())):
        live(event)
    return live


@contextlib.asynccontextmanager
async def serving(live: Live) -> AsyncIterator[aiohttp.ClientSession]:
    """The routes behind uvicorn, and a client for them."""
    app = FastAPI()
    app.add_exception_handler(RequestError, refuse)
    app.include_router(api.routes(live, authorize))
    app.include_router(page.routes())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        live.close()
        server.should_exit = True
        await task


async def test_calls_and_their_parts() -> None:
    """The list names each call by its worst participant; the parts carry verdicts, media and open alerts."""
    async with serving(known()) as client:
        async with client.get("/v1/calls", headers=TOKEN) as answer:
            line = {"call": "call-1", "state": "suspect", "participants": 2, "open_alerts": 1}
            assert await answer.json() == {"calls": [line]}
        async with client.get("/v1/calls/call-1", headers=TOKEN) as answer:
            ann, bob = (await answer.json())["participants"]
        async with client.get("/v1/calls/call-1/participants/ann", headers=TOKEN) as answer:
            assert await answer.json() == ann
    assert ann["verdict"]["state"] == "suspect"
    assert ann["alerts"][0]["alert"] == "alert-1"
    assert bob["verdict"] is None
    assert bob["media"]["participant"] == "bob"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/calls/none", 404, "session"),
        ("/v1/calls/call-1/participants/none", 404, "session"),
        ("/v1/calls/a%20b", 422, "id"),
        ("/v1/calls/%2B", 422, "id"),
        (f"/v1/calls/{'x' * 1000}", 422, "id"),
        ("/v1/calls/call-1/participants/a%23b", 422, "id"),
    ],
)
async def test_what_is_not_there_is_a_problem(path: str, status: int, code: str) -> None:
    """Unknown and impossible ids are refused by code, never a server error."""
    async with serving(known()) as client, client.get(path, headers=TOKEN) as answer:
        assert (answer.status, (await answer.json())["code"]) == (status, code)
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/calls", "/v1/calls/call-1", "/v1/calls/call-1/participants/ann", "/v1/events"])
async def test_every_path_asks_for_the_token(path: str) -> None:
    """Without the token nothing is told, not even whether a call exists; a token in the address does not count."""
    async with serving(known()) as client:
        for headers, query in (({}, ""), ({"Authorization": "Bearer wrong"}, ""), ({}, "?token=right")):
            async with client.get(path + query, headers=headers) as answer:
                assert answer.status == 401
                assert "WWW-Authenticate" in answer.headers


async def read_events(answer: aiohttp.ClientResponse, count: int) -> list[dict[str, object]]:
    """The first events of a stream."""
    events: list[dict[str, object]] = []
    while len(events) < count:
        line = (await answer.content.readline()).decode()
        if line.startswith("data: "):
            events.append(json.loads(line.removeprefix("data: ")))
    return events


async def test_event_stream_begins_with_what_is_known() -> None:
    """A new listener first reads the present, then what happens; leaving frees its place; close ends the stream."""
    live = known()
    builder = EventBuilder(IDENTITY, lambda: "id", clock)
    async with serving(live) as client:
        async with client.get("/v1/events", headers=TOKEN) as answer:
            assert answer.content_type == "text/event-stream"
            assert answer.headers["Cache-Control"] == "no-store"
            present = await read_events(answer, 3)
            live(builder.node("draining"))
            (change,) = await read_events(answer, 1)
            assert live.listeners == 1
        assert [event["type"] for event in present] == ["lifesign.call.v1", "lifesign.verdict.v1", "lifesign.alert.v1"]
        assert change["type"] == "lifesign.node.v1"
        await until(lambda: live.listeners == 0)
        async with client.get("/v1/events", headers=TOKEN) as answer:
            await read_events(answer, 3)
            live.close()
            await answer.content.read()


async def test_too_many_listeners_are_sent_away() -> None:
    """The 65th stream is 503 with a time to come back."""
    live = known()
    for _ in range(64):
        live.listen()
    async with serving(live) as client, client.get("/v1/events", headers=TOKEN) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "10"


async def test_console_is_one_page_that_loads_nothing() -> None:
    """The page needs no token, refers to no other file or host, and its policy allows its own script alone."""
    async with serving(known()) as client, client.get("/console") as answer:
        html, headers = await answer.text(), answer.headers
    assert answer.status == 200
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 2
    for foreign in ("http://", "https://", "src=", "@import", "url("):
        assert foreign not in html
    assert " style=" not in html
    assert "innerHTML" not in html
    assert headers["Referrer-Policy"] == "no-referrer"
