# SPDX-License-Identifier: Apache-2.0
"""Payload descriptors of VP8, made by others and made up."""

import hypothesis.strategies as st
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given, settings

from monitor.capture.payload_vp8 import vp8_part
from tests.fakes.rtp import vp8_pictures, vp8_rtp

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


def test_vp8_stream_comes_back() -> None:
    """Layers, sync bits and counts are those that were sent."""
    pictures = vp8_pictures(9, layered=True)
    sent = vp8_rtp(pictures, layered=True)
    heads = [vp8_part(packets[0].payload) for packets in sent]
    assert [head.layer for head in heads] == [0, 2, 1, 2, 0, 2, 1, 2, 0]
    assert [head.sync for head in heads] == [False, True, True, False] * 2 + [False]
    assert [head.base_index for head in heads] == [0, 0, 0, 0, 1, 1, 1, 1, 2]
    assert [head.keyframe for head in heads] == [True] + [False] * 8
