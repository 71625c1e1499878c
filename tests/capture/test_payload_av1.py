# SPDX-License-Identifier: Apache-2.0
"""Payloads of AV1, packed by a test packetiser and by hand."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from monitor.capture.payload_av1 import av1_part, av1_unit
from tests.fakes.rtp_av1 import av1_payloads, av1_pictures, av1_rtp, leb128

PICTURES = av1_pictures(8, keyframes=(0, 5))
TEMPORAL_UNIT = b"\x12\x00"
FRAME, SEQUENCE = 6 << 3, 1 << 3


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("room", [1200, 150, 20])
def test_stream_comes_back(room: int, counted) -> None:
    """Whole units, aggregates and fragments join, with their sizes, to what the encoder wrote; keyframes are told."""
    keyframes = []
    for data, packets in zip(PICTURES, av1_rtp(PICTURES, room=room, counted=counted), strict=True):
        parts = [av1_part(packet.payload) for packet in packets]
        assert av1_unit([part.data for part in parts]) == data
        keyframes.append([part.keyframe for part in parts])
        assert [part.first for part in parts] == keyframes[-1]
    assert [any(each) for each in keyframes] == [step in {0, 5} for step in range(8)]
    assert not any(any(each[1:]) for each in keyframes)


@settings(max_examples=150, deadline=None)
@given(
    bodies=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=5),
    layers=st.lists(st.none() | st.tuples(st.integers(0, 7), st.integers(0, 1)), min_size=5, max_size=5),
    room=st.integers(12, 200),
    counted=st.booleans(),
)
def test_any_units_come_back(bodies: list[bytes], layers, room: int, counted) -> None:
    """Units of every size, cut anywhere, keep their extension and get their size."""
    units, expected = [], b""
    for body, layer in zip(bodies, layers, strict=False):
        extension = b"" if layer is None else bytes([layer[0] << 5 | layer[1] << 3])
        head = FRAME | 4 * (layer is not None)
        units.append(bytes([head]) + extension + body)
        expected += bytes([head | 2]) + extension + leb128(len(body)) + body
    payloads = [av1_part(each).data for each in av1_payloads(units, room, counted=counted)]
    assert av1_unit(payloads) == TEMPORAL_UNIT + expected


def test_sizes_that_were_sent_are_taken_off_and_put_back() -> None:
    """A unit may carry its own size, and something after it that is none of it."""
    sized = bytes([FRAME | 2]) + leb128(3) + b"abc"
    assert av1_unit([b"\x10" + sized]) == TEMPORAL_UNIT + sized
    assert av1_unit([b"\x10" + sized + b"rest"]) == TEMPORAL_UNIT + sized


@pytest.mark.parametrize("kind", [2, 8, 15], ids=["delimiter", "tile list", "padding"])
def test_units_for_no_decoder_are_left_out(kind: int) -> None:
    """Nothing is left of a picture that has none but these."""
    assert av1_unit([b"\x10" + bytes([kind << 3]) + b"xy"]) == b""


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x10",
        b"\x88" + bytes([SEQUENCE, 1]),
        b"\x20\x02ab",
        b"\x00\x05ab",
        b"\x00" + b"\xff" * 9,
        b"\x00" + b"\x01x" * 65,
    ],
    ids=[
        "nothing",
        "no unit",
        "continues a beginning",
        "fewer than counted",
        "longer than there is",
        "endless length",
        "too many",
    ],
)
def test_broken_payloads_are_refused(payload: bytes) -> None:
    """What is cut off or contradicts itself is a ValueError."""
    with pytest.raises(ValueError, match="AV1"):
        av1_part(payload)


@pytest.mark.parametrize(
    "payloads",
    [
        [b"\x90" + bytes([FRAME]) + b"x"],
        [b"\x50" + bytes([FRAME]) + b"x"],
        [b"\x50" + bytes([FRAME]) + b"x", b"\x10" + bytes([FRAME]) + b"y"],
        [b"\x10\x80abc"],
        [b"\x10" + bytes([FRAME | 4])],
        [b"\x10" + bytes([FRAME | 2]) + leb128(9) + b"abc"],
        [b"\x00\x00"],
    ],
    ids=["no beginning", "no end", "another unit's end", "forbidden bit", "no extension", "short of its size", "empty"],
)
def test_parts_that_do_not_fit_are_refused(payloads: list[bytes]) -> None:
    """Fragments without a beginning or an end, and units without a header, make no picture."""
    with pytest.raises(ValueError, match="AV1"):
        av1_unit([av1_part(payload).data for payload in payloads])
