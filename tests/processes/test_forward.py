# SPDX-License-Identifier: Apache-2.0
"""Requests find the process their call lives in; what is refused in front says when to come again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from fastapi import FastAPI, Request, Response
from yarl import URL

from monitor.config import HttpSettings, Settings, WhipSettings
from monitor.processes.forward import Forward
from monitor.processes.placement import Placement
from monitor.server import listen_unix, serve
from tests.fakes.calls import serving

SETTINGS = Settings(whip=WhipSettings(max_participants=2, max_offer_bytes=1024))
SDP = {"Content-Type": "application/sdp", "Authorization": "Bearer t", "X-Other": "no"}
Open = Callable[[int], AbstractAsyncContextManager[tuple[Forward, Placement, aiohttp.ClientSession]]]


def ingest(number: int) -> FastAPI:
    """A process that says who it is and what it was asked; `nobody` is let in nowhere."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["DELETE", "GET", "OPTIONS", "PATCH", "POST"])
    async def answer(path: str, request: Request) -> Response:
        body = f"{number} {request.method} {request.scope['raw_path'].decode()} {(await request.body()).decode()}"
        headers = {"Location": f"/{path}/secret", "X-Inside": "hidden", "X-Seen": "x"} | {
            "ETag": ",".join(sorted({"x-other", "authorization", "cookie"} & set(request.headers)))
        }
        if path.endswith("slow"):
            await asyncio.Event().wait()
        return Response(body, 403 if path.endswith("nobody") else 201, headers, "text/plain")

    return app


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A front with so many processes behind it, all up."""

    @asynccontextmanager
    async def front(processes: int) -> AsyncIterator[tuple[Forward, Placement, aiohttp.ClientSession]]:
        paths = [tmp_path / str(number) for number in range(processes)]
        placement = Placement(processes)
        forward = Forward(SETTINGS, placement, paths)
        app = FastAPI()
        app.include_router(forward.router)
        async with AsyncExitStack() as stack:
            for number, path in enumerate(paths):
                listener = stack.enter_context(listen_unix(path))
                await stack.enter_async_context(serve(ingest(number), HttpSettings(), listener))
                placement.began(number)
            stack.push_async_callback(forward.close)
            url = await stack.enter_async_context(serving(app))
            yield forward, placement, await stack.enter_async_context(aiohttp.ClientSession(url))

    return front


async def asked(http: aiohttp.ClientSession, method: str, path: str | URL, body: str = "") -> tuple[int, str]:
    """Status and body."""
    async with http.request(method, path, data=body, headers=SDP) as answer:
        return answer.status, await answer.text()


async def test_a_call_is_served_by_one_process_from_offer_to_end(opened: Open) -> None:
    """Sessions, candidates, ends, invitations and challenges of a call; another call by the other process."""
    async with opened(2) as (_, _, http):
        assert await asked(http, "POST", "/whip/a/ann", "offer") == (201, "0 POST /whip/a/ann offer")
        assert (await asked(http, "POST", "/whip/b/bob"))[1].startswith("1 ")
        for method, path in (
            ("PATCH", "/whip/a/ann/secret"),
            ("DELETE", "/whip/a/ann/secret"),
            ("POST", "/v1/calls/a/participants/ann/challenges"),
            ("GET", "/v1/calls/a/participants/ann/challenge"),
        ):
            assert (await asked(http, method, path))[1].strip() == f"0 {method} {path}"


async def test_headers_pass_both_ways_by_name(opened: Open) -> None:
    """What WHIP needs, and nothing else."""
    async with opened(1) as (_, _, http), http.post("/whip/a/ann", headers=SDP | {"Cookie": "c"}) as answer:
        assert answer.headers["Location"] == "/whip/a/ann/secret"
        assert answer.headers["ETag"] == "authorization"
        assert "X-Inside" not in answer.headers
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_who_was_not_let_in_takes_no_place(opened: Open) -> None:
    """And the refusal is the process's own."""
    async with opened(1) as (forward, placement, http):
        assert (await asked(http, "POST", "/whip/a/nobody"))[0] == 403
        assert placement.participants == 0
        assert forward.refused_counts == {}


async def test_a_full_or_draining_node_refuses_newcomers(opened: Open) -> None:
    """With 503 and when to come again; who is here may publish again as long as the node does not drain."""
    async with opened(1) as (forward, _, http):
        for who in ("ann", "bob", "ann"):
            assert (await asked(http, "POST", f"/whip/a/{who}"))[0] == 201
        async with http.post("/whip/a/cid", headers=SDP) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
            assert (await answer.json())["code"] == "capacity"
        forward.draining = True
        assert (await asked(http, "POST", "/whip/a/ann"))[0] == 503
        assert forward.refused_counts == {"capacity": 2}


async def test_a_lost_process_is_not_asked(opened: Open) -> None:
    """Its sessions are gone, its calls go elsewhere; with none left publishers are told to wait."""
    async with opened(2) as (_, placement, http):
        assert (await asked(http, "POST", "/whip/a/ann"))[1].startswith("0 ")
        placement.lost(0)
        assert (await asked(http, "DELETE", "/whip/a/ann/secret"))[0] == 404
        assert (await asked(http, "POST", "/whip/a/ann"))[1].startswith("1 ")
        placement.lost(1)
        assert (await asked(http, "POST", "/whip/a/ann"))[0] == 503
        assert (await asked(http, "GET", "/v1/calls/a/participants/ann/challenges"))[0] == 503


async def test_a_body_is_never_read_beyond_its_limit(opened: Open) -> None:
    """Nor handed on."""
    async with opened(1) as (_, placement, http):
        assert (await asked(http, "POST", "/whip/a/ann", "x" * 9000))[0] == 413
        assert placement.participants == 0


@pytest.mark.parametrize("path", ["/whip/a/ann%0a", "/whip/../v1/calls", "/whip/a", "/whip/a/b/c/d", "/whip/%2e%2e/x"])
async def test_odd_paths_reach_the_process_as_they_are_or_nothing(opened: Open, path: str) -> None:
    """The process judges them; none of them takes a place or opens another door."""
    async with opened(1) as (_, placement, http):
        status, body = await asked(http, "POST", URL(path, encoded=True))
        assert status in {201, 404, 405, 422}
        assert placement.participants == 0
        assert status != 201 or body.startswith("0 POST /whip")
