# SPDX-License-Identifier: Apache-2.0
"""Payload descriptors of VP8 and H.264, made by others and made up."""

import av
import hypothesis.strategies as st
import numpy as np
import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given, settings
from numpy.typing import NDArray

from monitor.capture.payload import PARSERS, h264_part, vp8_part
from tests.fakes.clips import h264_packets
from tests.fakes.rtp import h264_rtp, vp8_pictures, vp8_rtp

OPTIONAL_ID = st.none() | st.integers(0, 0x7FFF)


@settings(max_examples=100, deadline=None)
@given(
    start=st.booleans(),
    picture_id=OPTIONAL_ID,
    base=st.none() | st.integers(0, 255),
    tid=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 1)),
    key=st.none() | st.integers(0, 31),
    body=st.binary(min_size=1, max_size=40),
)
def test_vp8_descriptor_is_read_as_written(start, picture_id, base, tid, key, body: bytes) -> None:
    """Every combination of fields comes out as another implementation wrote it."""
    part = vp8_part(bytes(VpxPayloadDescriptor(int(start), 0, picture_id, base, tid, key)) + body)
    assert (part.first, part.picture_id, part.base_index, part.data) == (start, picture_id, base, body)
    assert (part.layer, part.sync) == ((tid[0], bool(tid[1])) if tid else (None, False))
    assert part.keyframe == (start and not body[0] & 1)


def test_short_picture_id_and_disposable_bit() -> None:
    """A picture id of one byte counts to 128; the N bit says that nothing refers to the picture."""
    part = vp8_part(bytes([0xB0, 0x80, 0x05, 0x01]))
    assert (part.picture_id, part.id_bits, part.disposable, part.first, part.keyframe) == (5, 7, True, True, False)


@settings(max_examples=200, deadline=None)
@given(codec=st.sampled_from(sorted(PARSERS)), payload=st.binary(max_size=60))
def test_any_bytes_are_parsed_or_refused(codec: str, payload: bytes) -> None:
    """Random and truncated payloads raise ValueError or give a part, and nothing else."""
    try:
        part = PARSERS[codec](payload)
    except ValueError:
        return
    assert len(part.data) <= 4 * len(payload) + 4


def test_h264_stream_comes_back() -> None:
    """Units, aggregates and fragments join to the stream that was packed; keyframes begin with parameters."""
    pictures = [bytes(packet) for packet in h264_packets("baseline", 640, 480, count=20)]
    for step, packets in enumerate(h264_rtp(pictures)):
        parts = [h264_part(packet.payload) for packet in packets]
        assert b"".join(part.data for part in parts).replace(b"\0\0\0\1", b"\0\0\1") == pictures[step].replace(
            b"\0\0\0\1", b"\0\0\1"
        )
        assert parts[0].first
        assert any(part.keyframe for part in parts) == (step % 15 == 0)
        assert not any(part.disposable for part in parts)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (bytes([0x01, 0x9A, 0]), (True, False, None)),
        (bytes([0x61, 0x9A, 0]), (False, False, None)),
        (bytes([0x6E, 0, 0, 0x5F, 1]), (False, False, 2)),
        (bytes([0x78, 0, 4, 0x6E, 0, 0, 0x20, 0, 3, 0x61, 0x9A, 0]), (False, False, 1)),
        (bytes([0x67, 0x42, 0, 0x1F]), (False, True, None)),
        (bytes([0x65, 0x88, 0]), (False, True, None)),
    ],
    ids=["nobody refers to it", "slice", "layer prefix", "aggregate with prefix", "parameters", "keyframe slice"],
)
def test_h264_units_tell_of_themselves(payload: bytes, expected) -> None:
    """A reference count of 0 makes a picture disposable; a prefix unit names its temporal layer."""
    part = h264_part(payload)
    assert (part.disposable, part.keyframe, part.layer) == expected


def test_h264_pictures_that_x264_refers_to_are_complete() -> None:
    """Of a real stream whose every second picture is referred to by none, those are found; the rest is bit-equal."""
    coded = h264_packets("main", count=30, unreferenced=True)
    sent = h264_rtp([bytes(packet) for packet in coded])
    needless = [any(h264_part(packet.payload).disposable for packet in packets) for packets in sent]
    assert sum(needless) >= 12
    needed = [packet for packet, left_out in zip(coded, needless, strict=True) if not left_out]
    whole, part = _decoded(coded), _decoded(needed)
    assert len(part) == len(needed)
    assert all(np.array_equal(whole[stamp], picture) for stamp, picture in part.items())


def _decoded(packets: list[av.Packet]) -> dict[int | None, NDArray[np.uint8]]:
    decoder = av.CodecContext.create("h264", "r")
    return {frame.pts: frame.to_ndarray() for packet in (*packets, None) for frame in decoder.decode(packet)}


def test_vp8_stream_comes_back() -> None:
    """Layers, sync bits and counts are those that were sent."""
    pictures = vp8_pictures(9, layered=True)
    sent = vp8_rtp(pictures, layered=True)
    heads = [vp8_part(packets[0].payload) for packets in sent]
    assert [head.layer for head in heads] == [0, 2, 1, 2, 0, 2, 1, 2, 0]
    assert [head.sync for head in heads] == [False, True, True, False] * 2 + [False]
    assert [head.base_index for head in heads] == [0, 0, 0, 0, 1, 1, 1, 1, 2]
    assert [head.keyframe for head in heads] == [True] + [False] * 8
