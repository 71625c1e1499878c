# SPDX-License-Identifier: Apache-2.0
"""RTP taken apart here, beside aiortc's own reading of it."""

from aiortc.rtp import RtpPacket, is_rtcp
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.packet import HEADER_BYTES, SOURCE, MediaPacket, is_media, parse, unwrapped

FIRST = st.sampled_from([0x80, 0x90, 0xA0, 0xB0, 0x82, 0xBF, 0x40, 0x00]) | st.integers(0, 255)
WIRE = st.builds(lambda first, rest: bytes([first]) + rest, FIRST, st.binary(max_size=60))
FIELDS = ("marker", "payload_type", "sequence_number", "timestamp", "ssrc", "payload")


@given(WIRE)
def test_reads_what_aiortc_reads(data: bytes) -> None:
    """Any bytes give the fields that aiortc finds, or are refused by both."""
    try:
        theirs = RtpPacket.parse(data)
    except ValueError:
        theirs = None
    try:
        ours = parse(data)
    except ValueError:
        ours = None
    assert (ours is None) == (theirs is None)
    assert all(getattr(ours, name) == getattr(theirs, name) for name in FIELDS if theirs)


@given(st.binary(min_size=HEADER_BYTES, max_size=40))
def test_media_is_told_from_all_else(data: bytes) -> None:
    """RTP is what aiortc takes for it; the stream is named where the parsed packet names it."""
    assert is_media(data) == (127 < data[0] < 192 and not is_rtcp(data))
    if data[0] == 0x80:
        assert int.from_bytes(data[SOURCE], "big") == parse(data).ssrc


def test_packet_sent_again_is_the_first_one() -> None:
    """The first number is in front of the payload; a packet too short for one is none."""
    again = MediaPacket(1, 98, 3, 7000, 5, b"\x01\x02data")
    assert unwrapped(again, 97, 4) == MediaPacket(1, 97, 0x0102, 7000, 4, b"data")
    assert unwrapped(again._replace(payload=b"\x01"), 97, 4) is None
