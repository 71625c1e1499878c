# SPDX-License-Identifier: Apache-2.0
"""Challenges over HTTP: who may ask, who may see, and what is refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from fastapi import FastAPI, Request
from pydantic import SecretStr

from monitor.capture.passes import LIFETIME_S, Passes
from monitor.capture.problem import answer_problem
from monitor.capture.whip import WhipServer
from monitor.challenge_routes import routes
from monitor.challenges import Challenges
from monitor.config import Settings, WhipSettings
from monitor.errors import RequestError, TokenError
from monitor.publish import page
from monitor.values import Challenge
from tests.fakes.calls import Watcher, serving

OPERATOR = {"Authorization": "Bearer operator"}
ANN = "/v1/calls/bank/participants/ann"


def _authorize(request: Request) -> None:
    if request.headers.get("authorization") != OPERATOR["Authorization"]:
        raise TokenError("No.", "Send a token.")


async def _ignore(_: Challenge) -> None:
    pass


@asynccontextmanager
async def opened() -> AsyncIterator[aiohttp.ClientSession]:
    """The routes on loopback; ann and bob are in the call."""
    app, desk = FastAPI(), Challenges(lambda call, who: (call, who) in {("bank", "ann"), ("bank", "bob")}, _ignore)
    app.add_exception_handler(RequestError, answer_problem)
    app.include_router(routes(desk, Passes(), _authorize))
    app.include_router(page.routes())
    async with serving(app) as url, aiohttp.ClientSession(url) as http:
        yield http


async def started(http: aiohttp.ClientSession, kind: str = "turn_head") -> dict:
    """A challenge that ann is asked."""
    async with http.post(f"{ANN}/challenges", json={"kind": kind}, headers=OPERATOR) as answer:
        assert answer.status == 201, await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        return await answer.json() | {"location": answer.headers["Location"]}


async def test_an_operator_asks_and_the_participant_sees() -> None:
    """The token is in the fragment of the page, opens what is shown, and the operator reads the state."""
    async with opened() as http:
        made = await started(http)
        assert made["challenge"]["state"] == "waiting"
        assert made["challenge"]["asked"] == []
        address, _, fragment = made["page"].partition("#")
        assert address == "/challenge"
        assert f"token={made['token']}" in fragment
        async with http.get(f"{ANN}/challenge", headers={"Authorization": f"Bearer {made['token']}"}) as answer:
            shown = await answer.json()
        assert shown["kind"] == "turn_head"
        assert "hold still" in shown["words"]
        assert shown["arrow"] is None
        async with http.get(made["location"], headers=OPERATOR) as answer:
            assert (await answer.json())["challenge"] == made["challenge"]["challenge"]
        async with http.get(f"{ANN}/challenges", headers=OPERATOR) as answer:
            assert len((await answer.json())["challenges"]) == 1
        async with http.post(f"{ANN}/challenges", json={"kind": "colours"}, headers=OPERATOR) as answer:
            assert (answer.status, (await answer.json())["code"]) == (409, "conflict")


async def test_who_may_do_what() -> None:
    """Operators ask; a participant's token opens their own challenge and nothing else."""
    async with opened() as http:
        made = await started(http)
        token = {"Authorization": f"Bearer {made['token']}"}
        for headers in ({}, token):
            for method, path in (("POST", "challenges"), ("GET", "challenges"), ("POST", "invitations")):
                async with http.request(method, f"{ANN}/{path}", headers=headers) as answer:
                    assert answer.status == 401, (method, path)
        bob = ANN.replace("ann", "bob")
        for path, headers in ((ANN, {}), (ANN, OPERATOR), (bob, token), (ANN, {"Authorization": "Basic x"})):
            async with http.get(f"{path}/challenge", headers=headers) as answer:
                assert answer.status == 401
                assert made["token"] not in await answer.text()


async def test_an_invitation_waits_for_what_will_be_asked() -> None:
    """With an invitation there is nothing to see at first, then what is asked; another's invitation sees nothing."""
    async with opened() as http:
        async with http.post(f"{ANN}/invitations", headers=OPERATOR) as answer:
            made = await answer.json()
        assert "publish=1" in made["page"]
        invited = {"Authorization": f"Bearer {made['token']}"}
        async with http.get(f"{ANN}/challenge", headers=invited) as answer:
            assert answer.status == 404
        await started(http, "colours")
        async with http.get(f"{ANN}/challenge", headers=invited) as answer:
            assert (await answer.json())["colour"].startswith("#")
        async with http.get(f"{ANN.replace('ann', 'bob')}/challenge", headers=invited) as answer:
            assert answer.status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'"turn_head"',
        b'{"kind": "stand_on_head"}',
        b'{"kind": "turn_head", "seed": 1}',
        b'{"kind": "turn_head", "directions": ["around"]}',
        b'{"kind": "turn_head", "angle_deg": 90}',
        b'{"kind": "turn_head", "deadline_s": 1e9}',
        b'{"kind": "turn_head", "deadline_s": NaN}',
        b'{"kind": "colours", "directions": ["left"]}',
        b"[" * 4000,
    ],
)
async def test_a_malformed_order_is_refused_with_a_reason(body: bytes) -> None:
    """422 as problem details that name the field and the kinds there are; nothing is started."""
    async with opened() as http:
        async with http.post(f"{ANN}/challenges", data=body, headers=OPERATOR) as answer:
            problem = await answer.json()
        assert (answer.status, problem["code"]) == (422, "order")
        assert "cover_face" in problem["advice"]
        await started(http)


async def test_other_refusals() -> None:
    """Nobody of that name, no such challenge, ids that are none, a body without end."""
    async with opened() as http:
        for method, path, status in (
            ("POST", "/v1/calls/bank/participants/carol/challenges", 404),
            ("GET", f"{ANN}/challenges/none", 404),
            ("GET", "/v1/calls/bank/participants/a%20b/challenges", 422),
            ("POST", "/v1/calls/bank/participants/a%0A/invitations", 422),
        ):
            async with http.request(method, path, json={"kind": "turn_head"}, headers=OPERATOR) as answer:
                assert answer.status == status, path
        async with http.post(f"{ANN}/challenges", data=b" " * 5000, headers=OPERATOR) as answer:
            assert answer.status == 413


async def test_the_page_loads_nothing_and_runs_only_its_own_script() -> None:
    """A strict policy, no token in it, and nothing from anywhere else."""
    async with opened() as http, http.get("/challenge") as answer:
        text, rules = await answer.text(), answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in rules
    assert "unsafe" not in rules
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "http:" not in text
    assert "https:" not in text
    assert "innerHTML" not in text


def test_a_pass_is_good_for_one_participant_and_an_hour() -> None:
    """Not for another call or name, not altered, not later, not in another process."""
    now_s = [1000.0]
    passes = Passes(lambda: now_s[0])
    token = passes.issue("bank", "ann")
    assert passes.allows(f"Bearer {token}", "bank", "ann")
    for call, who in (("bank", "bob"), ("club", "ann"), ("bank/ann", "")):
        assert not passes.allows(f"Bearer {token}", call, who)
    until, _, signature = token.partition(".")
    later = f"{int(until) + 1}.{signature}"
    for given in (None, "", token, f"Basic {token}", f"Bearer {later}", f"Bearer {until}.", "Bearer ²³.x", "Bearer .é"):
        assert not passes.allows(given, "bank", "ann")
    assert not Passes(lambda: now_s[0]).allows(f"Bearer {token}", "bank", "ann")
    now_s[0] += LIFETIME_S + 1.0
    assert not passes.allows(f"Bearer {token}", "bank", "ann")


async def test_an_invited_participant_publishes_under_their_own_name_alone() -> None:
    """The pass opens the WHIP endpoint of one name: a bad offer is looked at there, and refused unread elsewhere."""
    passes, app = Passes(), FastAPI()
    settings = Settings(whip=WhipSettings(tokens=(SecretStr("operator"),)))
    headers = {"Authorization": f"Bearer {passes.issue('bank', 'ann')}", "Content-Type": "application/sdp"}
    async with WhipServer(settings, Watcher().admit, passes) as server:
        app.include_router(server.router)
        async with serving(app) as url, aiohttp.ClientSession(url) as http:
            for who, status in (("bank/ann", 400), ("bank/bob", 401), ("club/ann", 401), ("bank", 401)):
                async with http.post(f"/whip/{who}", data="nonsense", headers=headers) as answer:
                    assert answer.status == status, who
