# SPDX-License-Identifier: Apache-2.0
"""Which codecs are answered, on either path."""

import re
from collections.abc import Sequence

import aiohttp
import pytest

from monitor.capture import whip
from monitor.capture.offer import checked_offer
from monitor.config import Settings
from tests.fakes.calls import Watcher, whip_server
from tests.fakes.whip import SDP, offer_of, refusal, with_codecs

BROWSER = (
    "96 VP8",
    "97 rtx apt=96",
    "103 H264 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f",
    "107 H264 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f",
    "98 VP9 profile-id=0",
    "99 rtx apt=98",
    "100 VP9 profile-id=2",
    "101 rtx apt=100",
    "45 AV1 level-idx=5;profile=0;tier=0",
    "46 rtx apt=45",
    "49 AV1 level-idx=5;profile=1;tier=0",
)
"""What Chromium offers, shortened."""


async def answered(http: aiohttp.ClientSession, url: str, codecs: Sequence[str]) -> list[str]:
    """The codecs of the answer to an offer of these."""
    offer = with_codecs(await offer_of("video"), *codecs)
    async with http.post(f"{url}/call/alice", data=offer, headers=SDP) as response:
        assert response.status == 201
        return re.findall(r"a=rtpmap:(\d+ \w+)/90000", await response.text())


async def test_answer_keeps_the_order_of_the_offer(http: aiohttp.ClientSession) -> None:
    """All that can be decoded is answered with what is sent again of it, in the publisher's order of preference."""
    expected = ["96 VP8", "97 rtx", "103 H264", "107 H264", "98 VP9", "99 rtx", "45 AV1", "46 rtx"]
    async with whip_server(Watcher()) as (_, url):
        assert await answered(http, url, BROWSER) == expected
        turned = [BROWSER[8], BROWSER[9], BROWSER[4], BROWSER[5], BROWSER[0]]
        assert await answered(http, url, turned) == ["45 AV1", "46 rtx", "98 VP9", "99 rtx", "96 VP8"]


def test_first_offer_finds_all_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiortc is taught before the first offer is checked, not when the first one was accepted."""
    taught = []
    monkeypatch.setattr(whip, "prepare", lambda: taught.append(True))
    whip.WhipServer(Settings(), Watcher().admit)
    assert taught


async def test_plain_path_answers_what_aiortc_decodes(http: aiohttp.ClientSession) -> None:
    """VP9 and AV1 are left out of the answer, and refused when nothing else is offered."""
    async with whip_server(Watcher(), path="plain") as (server, url):
        assert await answered(http, url, BROWSER) == ["96 VP8", "97 rtx", "103 H264", "107 H264"]
        offer = with_codecs(await offer_of("video"), *BROWSER[4:])
        async with http.post(f"{url}/call/alice", data=offer, headers=SDP) as response:
            body = await refusal(response, 406, "codec")
        assert "AV1, VP9" in body["detail"]
        assert "capture.path: tap" in body["advice"]
        assert server.refused_counts == {"codec": 1}


async def test_profiles_of_h264(http: aiohttp.ClientSession) -> None:
    """Every profile is taken in either packetization mode; without one it is 0."""
    bare = await offer_of("video")
    profiles = ("42001f", "42e01f", "4d001f", "4d0032", "640c1f", "64001f")
    async with whip_server(Watcher()) as (_, url):
        codecs = [
            f"{96 + step} H264 packetization-mode=0;profile-level-id={each}" for step, each in enumerate(profiles)
        ]
        assert await answered(http, url, codecs) == [f"{96 + step} H264" for step in range(6)]
        for profile in profiles:
            for mode in ("packetization-mode=1;", "packetization-mode=0;", ""):
                checked_offer(with_codecs(bare, f"103 H264 {mode}profile-level-id={profile}"))


@pytest.mark.parametrize(
    "codec",
    ["98 VP9 profile-id=2", "98 AV1 profile=1", "98 H264 packetization-mode=2;profile-level-id=42e01f", "98 H265"],
)
async def test_others_are_refused(http: aiohttp.ClientSession, codec: str) -> None:
    """Ten bits, 4:4:4, interleaved packets and other codecs are a 406 that says what to offer."""
    async with whip_server(Watcher()) as (_, url):
        offer = with_codecs(await offer_of("video"), codec)
        async with http.post(f"{url}/call/alice", data=offer, headers=SDP) as response:
            body = await refusal(response, 406, "codec")
        assert "VP9" in body["advice"]
