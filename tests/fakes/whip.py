# SPDX-License-Identifier: Apache-2.0
"""A WHIP client's offers, and what a refusal looks like."""

import re
from typing import Any

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection

from tests.fakes.calls import TOKEN

__all__ = ["AUTH", "SDP", "offer_of", "refusal", "with_codecs"]

AUTH = {"Authorization": f"Bearer {TOKEN}"}
SDP = {**AUTH, "Content-Type": "application/sdp"}


async def offer_of(*kinds: str, direction: str = "sendonly") -> str:
    """An offer as aiortc makes it, with a section for each kind."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for kind in kinds:
        peer.addTransceiver(kind, direction)
    await peer.setLocalDescription(await peer.createOffer())
    sdp = peer.localDescription.sdp
    await peer.close()
    return sdp


def with_codecs(offer: str, *codecs: str) -> str:
    """An offer of one video track with these codecs instead, each like "98 VP9" or "98 VP9 profile-id=0"."""
    told = [each.split(" ", 2) for each in codecs]
    types = " ".join(each[0] for each in told)
    bare = re.sub(r"a=(rtpmap|fmtp|rtcp-fb):.*\r\n", "", offer)
    lines = [f"a=rtpmap:{each[0]} {each[1]}/90000\r\n" for each in told]
    lines += [f"a=fmtp:{each[0]} {each[2]}\r\n" for each in told if len(each) > 2]
    return re.sub(r"m=video (\d+) (\S+) .*", rf"m=video \1 \2 {types}", bare) + "".join(lines)


async def refusal(response: aiohttp.ClientResponse, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is problem details of this status and code, and give them."""
    body = await response.json(content_type="application/problem+json")
    assert (response.status, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"].endswith(".")
    assert body["advice"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    return body
