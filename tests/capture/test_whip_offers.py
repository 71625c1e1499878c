# SPDX-License-Identifier: Apache-2.0
"""WHIP offers: what cannot be served is refused and says why, and nothing breaks the server."""

import asyncio
import random
import re

import aiohttp
import pytest

from tests.fakes.calls import TOKEN, Pattern, Publisher, Watcher, until, whip_server
from tests.fakes.whip import AUTH, SDP, offer_of, refusal, with_codecs


async def test_content_type(http: aiohttp.ClientSession) -> None:
    """Another media type than SDP is refused, and the answer says what is wanted; parameters do not matter."""
    async with whip_server(Watcher()) as (_, url):
        for given in ("text/plain", "application/json", ""):
            async with http.post(f"{url}/b/a", data=b"v=0", headers={**AUTH, "Content-Type": given}) as response:
                await refusal(response, 415, "content_type")
                assert response.headers["Accept-Post"] == "application/sdp"
        headers = {**AUTH, "Content-Type": "Application/SDP; charset=utf-8"}
        async with http.post(f"{url}/b/a", data=await offer_of("video"), headers=headers) as response:
            assert response.status == 201


@pytest.mark.parametrize("framing", ["Content-Length: 10000000", "Transfer-Encoding: chunked"])
async def test_ten_megabytes_are_refused_unread(framing: str) -> None:
    """The answer comes while the body is still on its way: at its announced length, or at the limit."""
    async with whip_server(Watcher(), {"max_offer_bytes": 4096}) as (_, url):
        host, port = url.removeprefix("http://").removesuffix("/whip").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = (
            f"POST /whip/b/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/sdp\r\n"
        )
        writer.write(f"{head}{framing}\r\n\r\n".encode())
        if "chunked" in framing:
            writer.write(b"1001\r\n" + b"v" * 4097 + b"\r\n")
        async with asyncio.timeout(5):
            status = await reader.readline()
        writer.close()
        assert b" 413 " in status


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"\xff\xfe\x00", b"v=0\r\n", b"v=0\r\nm=video\r\n", b"\x00" * 4000, b"m=" * 900]
)
async def test_garbage_sdp(http: aiohttp.ClientSession, body: bytes) -> None:
    """What is not SDP is a 400 with advice."""
    async with (
        whip_server(Watcher()) as (server, url),
        http.post(f"{url}/b/a", data=body, headers=SDP) as response,
    ):
        await refusal(response, 400, "offer")
        assert server.sessions == 0


async def test_offers_that_cannot_be_served(http: aiohttp.ClientSession) -> None:
    """Offers without video, with audio only, ten tracks, a data channel or H.265 alone are told apart and refused."""
    one = await offer_of("video")
    h265 = with_codecs(one, "98 H265")
    head, section = one.split("m=video", 1)
    empty = re.sub(r"a=group.*\r\n", "", head)
    cases = [
        (empty, 400, "offer", "no media"),
        (await offer_of("audio"), 400, "offer", "audio only"),
        (await offer_of("video", direction="recvonly"), 400, "offer", "no video"),
        (await offer_of(*["video"] * 10), 400, "offer", "more than 8"),
        (await offer_of("video", "video"), 400, "offer", "2 video tracks"),
        (await offer_of("video", "audio", "audio"), 400, "offer", "2 audio tracks"),
        (
            one + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n",
            400,
            "offer",
            "data",
        ),
        (h265, 406, "codec", "H265"),
        (one.replace("a=fingerprint", "a=x-fingerprint"), 400, "offer", "fingerprint"),
        (re.sub(r"a=setup:\w+\r\n", "", one), 400, "offer", "setup"),
        (one.replace("a=rtcp-mux\r\n", ""), 400, "offer", "rtcp-mux"),
        (re.sub(r"a=ice-ufrag:.*", "a=ice-ufrag:" + "x" * 5000, one), 400, "offer", "user name"),
        (re.sub(r"a=ice-pwd:.*", "a=ice-pwd:short", one), 400, "offer", "password"),
        (one + "a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n" * 65, 400, "offer", "candidates"),
        (one + "m=video" + section, 400, "offer", "same mid"),
    ]
    async with whip_server(Watcher()) as (server, url):
        for offer, status, code, word in cases:
            async with http.post(f"{url}/b/a", data=offer, headers=SDP) as response:
                body = await refusal(response, status, code)
                assert word in body["detail"]
        assert server.sessions == 0
        assert server.refused_counts == {"offer": len(cases) - 1, "codec": 1}


async def test_direction_left_out_means_sendrecv(http: aiohttp.ClientSession) -> None:
    """An offer that does not say its direction sends (RFC 8866), and is served."""
    offer = (await offer_of("video")).replace("a=sendonly\r\n", "")
    async with (
        whip_server(Watcher()) as (_, url),
        http.post(f"{url}/b/a", data=offer, headers=SDP) as response,
    ):
        assert response.status == 201


@pytest.mark.timeout(60)
async def test_mutated_offers_never_break_the_server(http: aiohttp.ClientSession) -> None:
    """Whatever is done to an offer: no 500, no stray error on the loop, and a call beside it goes on."""
    chance, errors = random.Random(5), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    offer = await offer_of("video", "audio")
    watcher = Watcher()
    async with (
        whip_server(watcher, {"connect_timeout_s": 3.0}) as (server, url),
        Publisher(f"{url}/b/honest", [Pattern(64, 48)]),
    ):
        await watcher.more("honest", 1)
        statuses = set()
        for _ in range(150):
            async with http.post(f"{url}/b/fuzz", data=mutated(offer, chance), headers=SDP) as response:
                statuses.add(response.status)
        assert statuses <= {201, 400, 406}
        assert {201, 400} <= statuses
        await watcher.more("honest", 5)
        await until(lambda: server.sessions == 1)
    assert errors == []


def mutated(offer: str, chance: random.Random) -> bytes:
    """An offer with a few lines dropped, doubled, swapped or garbled."""
    lines = offer.split("\r\n")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines) - 1)
        line = lines[at]
        cut = chance.randrange(len(line) + 1)
        noise = "".join(chance.choices("0123456789 :/=-;ä\x00zA", k=chance.randint(0, 8)))
        lines[at : at + 1] = chance.choice(
            [[], [line, line], [line[:cut] + noise + line[cut + 1 :]], [noise], [lines[-2 - at], line]]
        )
    return "\r\n".join(lines).encode()
