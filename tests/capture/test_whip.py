# SPDX-License-Identifier: Apache-2.0
"""WHIP as HTTP: what is answered, who is let in, and how a session ends."""

import asyncio
import re

import aiohttp
import pytest
from fastapi import FastAPI
from yarl import URL

from monitor.capture.problem import answer_problem
from monitor.capture.wire import ice_links
from monitor.config import IceServer
from monitor.errors import CapacityError, RequestError
from tests.fakes.calls import TOKEN, Pattern, Publisher, Tone, Watcher, serving, until, whip_server
from tests.fakes.whip import AUTH, SDP, offer_of, refusal


async def test_created_answer_is_as_the_standard_says(http: aiohttp.ClientSession) -> None:
    """201 with the answer and all its candidates, a Location nobody can guess, an ETag and the ICE servers."""
    servers = (
        IceServer(url="stun:127.0.0.1:9"),
        IceServer(url="turn:127.0.0.1:9?transport=udp", username='an"ne', credential="secret"),
    )
    async with (
        whip_server(Watcher(), {"ice_servers": servers[:0]}) as (server, url),
        http.post(f"{url}/board/alice", data=await offer_of("video", "audio"), headers=SDP) as response,
    ):
        answer = await response.text()
        assert response.status == 201
        assert response.content_type == "application/sdp"
        assert re.fullmatch(r"/whip/board/alice/[A-Za-z0-9_-]{32}", response.headers["Location"])
        assert re.fullmatch(r'"[A-Za-z0-9_-]{12}"', response.headers["ETag"])
        assert "a=candidate:" in answer
        assert answer.count("a=recvonly") == 2
        assert "a=end-of-candidates" in answer
        assert "Location" in response.headers["Access-Control-Expose-Headers"]
        assert server.sessions == 1
        assert "Link" not in response.headers
    assert ice_links(servers) == [
        '<stun:127.0.0.1:9>; rel="ice-server"',
        '<turn:127.0.0.1:9?transport=udp>; rel="ice-server"; username="an\\"ne"; credential="secret"; '
        'credential-type="password"',
    ]


async def test_ice_servers_are_told_in_links(http: aiohttp.ClientSession) -> None:
    """Each configured server is a Link header of the 201 answer."""
    with_stun = {"ice_servers": (IceServer(url="turn:127.0.0.1:9?transport=unheard-of", username="u", credential="c"),)}
    async with (
        whip_server(Watcher(), with_stun) as (_, url),
        http.post(f"{url}/board/alice", data=await offer_of("video"), headers=SDP) as response,
    ):
        assert response.status == 201
        assert 'rel="ice-server"; username="u"; credential="c"' in response.headers["Link"]


async def test_preflight_and_options(http: aiohttp.ClientSession) -> None:
    """A page of another origin may ask, without a token, what it may do at the endpoint and at a session."""
    async with whip_server(Watcher()) as (_, url):
        for path in ("board/alice", "board/alice/some-session"):
            asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
            async with http.options(f"{url}/{path}", headers=asked) as response:
                assert response.status == 200
                assert response.headers["Accept-Post"] == "application/sdp"
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                assert {"POST", "PATCH", "DELETE"} <= set(response.headers["Access-Control-Allow-Methods"].split(", "))
                assert "If-Match" in response.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    "given",
    [None, "Bearer", "Bearer ", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN[:-1]}"],
)
async def test_token_missing_or_wrong(http: aiohttp.ClientSession, given: str | None) -> None:
    """Every request but OPTIONS needs a token, and the answer says which scheme; nothing is opened."""
    headers = {"Content-Type": "application/sdp"} | ({"Authorization": given} if given else {})
    async with whip_server(Watcher()) as (server, url):
        async with http.post(f"{url}/board/alice", data=await offer_of("video"), headers=headers) as response:
            body = await refusal(response, 401, "token")
            assert response.headers["WWW-Authenticate"].startswith('Bearer realm="lifesign"')
            assert TOKEN not in str(body)
        for method in ("GET", "PATCH", "DELETE"):
            async with http.request(method, f"{url}/board/alice/x", headers=headers) as response:
                await refusal(response, 401, "token")
        assert server.sessions == 0
        assert server.refused_counts["token"] == 1


async def test_no_tokens_configured_means_nobody(http: aiohttp.ClientSession) -> None:
    """A server without tokens is closed, not open."""
    async with (
        whip_server(Watcher(), {"tokens": ()}) as (_, url),
        http.post(f"{url}/board/alice", data=await offer_of("video"), headers=SDP) as response,
    ):
        await refusal(response, 401, "token")


@pytest.mark.parametrize(
    "path",
    [
        "a%2Fb/c",
        "a/b%2Fc",
        "a+b/c",
        "a/%23",
        "a%20b/c",
        f"{'x' * 1000}/c",
        "a",
        "a/b/c/d",
        "a/",
        "/b",
        "a/b%0A",
        "%C3%A4/b",
        "a/..",
    ],
)
async def test_ids_that_are_not_allowed(http: aiohttp.ClientSession, path: str) -> None:
    """Ids end up in topics and logs: anything but letters, digits, _ and - is refused before the body is read."""
    async with (
        whip_server(Watcher()) as (_, url),
        http.post(URL(f"{url}/{path}", encoded=True), data="x", headers=SDP) as response,
    ):
        if path != "a/..":
            await refusal(response, 422, "id")
        assert 400 <= response.status < 500


async def test_full_and_draining(http: aiohttp.ClientSession) -> None:
    """No room is a 503 that says when to come back; a participant who is here may still publish again."""
    offer = await offer_of("video")
    async with whip_server(Watcher(), {"max_participants": 2, "retry_after_s": 7}) as (server, url):
        for who in ("a", "b", "a"):
            async with http.post(f"{url}/call/{who}", data=offer, headers=SDP) as response:
                assert response.status == 201
        assert server.sessions == 2
        async with http.post(f"{url}/call/c", data=offer, headers=SDP) as response:
            await refusal(response, 503, "capacity")
            assert response.headers["Retry-After"] == "7"
        server.drain()
        assert server.draining
        async with http.post(f"{url}/call/a", data=offer, headers=SDP) as response:
            assert "shutting down" in (await refusal(response, 503, "capacity"))["detail"]
        assert server.sessions == 2


async def test_rush_does_not_overbook(http: aiohttp.ClientSession) -> None:
    """Offers that come at the same moment do not get more places than there are."""
    offer = await offer_of("video")

    async def publish(who: str) -> int:
        async with http.post(f"{url}/call/{who}", data=offer, headers=SDP) as response:
            return response.status

    async with whip_server(Watcher(), {"max_participants": 3}) as (server, url):
        statuses = await asyncio.gather(*(publish(f"p{number}") for number in range(8)))
        assert sorted(statuses) == [201] * 3 + [503] * 5
        assert server.sessions == 3
        same = await asyncio.gather(*(publish("p0") for _ in range(4)))
        assert set(same) <= {201, 503}
        assert server.sessions <= 3


async def test_session_ids_cannot_be_guessed(http: aiohttp.ClientSession) -> None:
    """A made-up id, and a real id under another participant, are 404 even with a valid token."""
    offer = await offer_of("video")
    async with whip_server(Watcher()) as (server, url):
        async with http.post(f"{url}/call/alice", data=offer, headers=SDP) as response:
            session = response.headers["Location"].rsplit("/", 1)[1]
        for path in (f"call/alice/{'A' * 32}", f"call/bob/{session}", f"other/alice/{session}"):
            for method in ("GET", "PATCH", "DELETE"):
                async with http.request(method, f"{url}/{path}", headers={**AUTH, "If-Match": "*"}) as response:
                    await refusal(response, 404, "session")
        assert server.sessions == 1
        async with http.get(f"{url}/call/alice/{session}", headers=AUTH) as response:
            assert (response.status, await response.read()) == (204, b"")


async def test_delete_ends_the_session_at_once(http: aiohttp.ClientSession) -> None:
    """After DELETE the id is unknown, and the place is free."""
    async with whip_server(Watcher()) as (server, url):
        async with http.post(f"{url}/call/alice", data=await offer_of("video"), headers=SDP) as response:
            location = url.removesuffix("/whip") + response.headers["Location"]
        async with http.delete(location, headers={**AUTH, "If-Match": '"stale"'}) as response:
            assert response.status == 200
        async with http.delete(location, headers=AUTH) as response:
            await refusal(response, 404, "session")
        await until(lambda: server.sessions == 0)


async def test_patch_preconditions(http: aiohttp.ClientSession) -> None:
    """Trickle needs the ETag: 428 without, 412 with a stale one, 204 with it; an ICE restart is a 422."""
    offer = await offer_of("video")
    name = re.search(r"a=ice-ufrag:(\S+)", offer)
    assert name is not None
    fragment = f"a=ice-ufrag:{name[1]}\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
    candidate = "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"
    async with whip_server(Watcher()) as (_, url):
        async with http.post(f"{url}/call/alice", data=offer, headers=SDP) as response:
            location, tag = url.removesuffix("/whip") + response.headers["Location"], response.headers["ETag"]
        typed = {**AUTH, "Content-Type": "application/trickle-ice-sdpfrag"}
        cases: list[tuple[dict[str, str], str, int, str | None]] = [
            (typed, fragment + candidate, 428, "precondition"),
            ({**typed, "If-Match": '"stale"'}, fragment + candidate, 412, "precondition"),
            ({**typed, "If-Match": tag, "Content-Type": "application/sdp"}, fragment, 415, "content_type"),
            ({**typed, "If-Match": tag}, "garbage", 400, "offer"),
            ({**typed, "If-Match": tag}, fragment + "a=candidate:nonsense\r\n", 400, "offer"),
            ({**typed, "If-Match": tag}, fragment + candidate * 65, 400, "offer"),
            ({**typed, "If-Match": "*"}, "a=ice-ufrag:fresh\r\na=ice-pwd:0123456789012345678901\r\n", 422, "offer"),
            ({**typed, "If-Match": tag}, fragment + candidate, 204, None),
            ({**typed, "If-Match": tag}, fragment + "a=end-of-candidates\r\n", 204, None),
            ({**typed, "If-Match": tag}, fragment + candidate, 204, None),
            ({**typed, "If-Match": tag}, "x" * 200_000, 413, "size"),
        ]
        for headers, body, status, code in cases:
            async with http.patch(location, data=body.encode(), headers=headers) as response:
                if code is None:
                    assert (response.status, await response.read()) == (status, b"")
                    assert "ETag" not in response.headers
                else:
                    await refusal(response, status, code)


async def test_problems_of_other_routes_look_the_same(http: aiohttp.ClientSession) -> None:
    """The exception handler gives any route of the application the same answers."""
    app = FastAPI()
    app.add_exception_handler(RequestError, answer_problem)

    @app.get("/full")
    async def full() -> None:
        raise CapacityError("All places are taken.", "Wait.", {"Retry-After": "3"})

    async with serving(app) as url, http.get(f"{url}/full") as response:
        body = await response.json(content_type="application/problem+json")
        assert (response.status, body["code"], response.headers["Retry-After"]) == (503, "capacity", "3")
        assert body["title"] == "No room for another participant"


async def test_trickled_candidates_connect() -> None:
    """An offer without candidates is answered, and candidates sent later bring the media."""
    watcher = Watcher()
    async with whip_server(watcher) as (_, url):
        caller = Publisher(f"{url}/call/alice", [Pattern(), Tone()], trickle=True)
        async with caller:
            assert "a=candidate" not in caller.offer
            assert not watcher.frames("alice")
            await caller.trickle()
            assert len(await watcher.more("alice", 3)) == 3
