# SPDX-License-Identifier: Apache-2.0
"""Payloads of every codec, cut off and made up."""

import random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from monitor.capture.payload import PARSERS, joined
from tests.fakes.clips import h264_packets
from tests.fakes.rtp import h264_rtp, vp8_pictures, vp8_rtp
from tests.fakes.rtp_av1 import av1_pictures, av1_rtp
from tests.fakes.rtp_vp9 import vp9_pictures, vp9_rtp

GOOD = {
    "vp8": vp8_rtp(vp8_pictures(3, layered=True), layered=True),
    "h264": h264_rtp([bytes(packet) for packet in h264_packets("baseline", 160, 120, count=3)]),
    "vp9": vp9_rtp(vp9_pictures(3, layered=True), layered=True, flexible=True),
    "av1": av1_rtp(av1_pictures(3), room=100),
}


@settings(max_examples=300, deadline=None)
@given(codec=st.sampled_from(sorted(PARSERS)), payloads=st.lists(st.binary(max_size=60), min_size=1, max_size=3))
def test_any_bytes_are_parsed_or_refused(codec: str, payloads: list[bytes]) -> None:
    """Random payloads raise ValueError or give parts, and the parts a picture or ValueError, and nothing else."""
    try:
        data = joined(codec, [PARSERS[codec](payload).data for payload in payloads])
    except ValueError:
        return
    assert len(data) <= 4 * sum(map(len, payloads)) + 4 * len(payloads)


@pytest.mark.parametrize("codec", sorted(PARSERS))
def test_damaged_payloads_are_parsed_or_refused(codec: str) -> None:
    """Good payloads, cut off anywhere or with bytes changed, do no worse."""
    chance = random.Random(3)
    refused = 0
    for packet in [packet for picture in GOOD[codec] for packet in picture] * 40:
        payload = bytearray(packet.payload[: chance.randrange(1, 60)])
        for _ in range(chance.randrange(3)):
            payload[chance.randrange(len(payload))] = chance.randrange(256)
        try:
            joined(codec, [PARSERS[codec](bytes(payload)).data])
        except ValueError:
            refused += 1
    assert refused
