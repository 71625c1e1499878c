# SPDX-License-Identifier: Apache-2.0
"""Payload descriptors of VP9, written by a test packetiser and by hand."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from monitor.capture.payload_vp9 import vp9_part
from tests.fakes.rtp_vp9 import REFERENCES, descriptor, vp9_pictures, vp9_rtp

KEY, INTER = b"\x82\x49", b"\x86\x00"
DISTANCES = st.none() | st.lists(st.integers(1, 127), max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    first=st.booleans(),
    predicted=st.booleans(),
    picture_id=st.integers(0, 0x7FFF),
    layer=st.none() | st.tuples(st.integers(0, 7), st.booleans(), st.integers(0, 1)),
    base=st.integers(0, 255),
    distances=DISTANCES,
    sizes=st.none() | st.integers(1, 8),
    pattern=st.none() | st.lists(st.integers(0, 3), max_size=6),
    body=st.binary(min_size=1, max_size=30),
)
def test_descriptor_is_read_as_written(
    first, predicted, picture_id, layer, base, distances, sizes, pattern, body: bytes
) -> None:
    """Both modes, with and without layers and scalability structure, come out as they were written."""
    head = descriptor(
        first=first,
        last=True,
        predicted=predicted or bool(distances),
        picture_id=picture_id,
        layer=layer,
        base_index=base if layer and distances is None else None,
        distances=None if distances is None else distances or ([9] if predicted else []),
        structure=_structure(sizes, pattern),
    )
    part = vp9_part(head + body)
    assert (part.picture_id, part.id_bits) == (picture_id, 15)
    assert (part.layer, part.switch) == ((layer[0], layer[1]) if layer else (None, False))
    assert part.base_index == (base if layer and distances is None else None)
    assert part.distances == (None if distances is None else tuple(distances or ([9] if predicted else [])))
    assert (part.data, part.first) == (body, first and not (layer and layer[2]))


def _structure(sizes: int | None, pattern: list[int] | None) -> bytes:
    if sizes is None and pattern is None:
        return b""
    out = bytearray([((sizes or 1) - 1) << 5 | 0x10 * (sizes is not None) | 0x08 * (pattern is not None)])
    out += bytes(4 * (sizes or 0))
    if pattern is not None:
        out.append(len(pattern))
        for references in pattern:
            out += bytes([0x40 | references << 2]) + bytes([7] * references)
    return bytes(out)


@pytest.mark.parametrize("flexible", [False, True])
def test_stream_comes_back(flexible) -> None:
    """Parts join to the stream that was packed and tell its layers, references and keyframes."""
    pictures = vp9_pictures(9, layered=True)
    heads = []
    for data, packets in zip(pictures, vp9_rtp(pictures, layered=True, flexible=flexible), strict=True):
        parts = [vp9_part(packet.payload) for packet in packets]
        assert b"".join(part.data for part in parts) == data
        assert [part.first for part in parts] == [True] + [False] * (len(parts) - 1)
        heads.append(parts[0])
    assert [head.keyframe for head in heads] == [True] + [False] * 8
    assert [head.layer for head in heads] == [0, 2, 1, 2, 0, 2, 1, 2, 0]
    assert [head.base_index for head in heads] == ([None] * 9 if flexible else [0, 0, 0, 0, 1, 1, 1, 1, 2])
    named = [(), *(REFERENCES[step % 4] for step in range(1, 9))]
    assert [head.distances for head in heads] == (named if flexible else [None] * 9)


def test_picture_begins_with_the_lowest_spatial_layer() -> None:
    """An upper layer of a keyframe is neither a keyframe nor the beginning of a picture."""
    base = vp9_part(descriptor(first=True, last=True, predicted=False, layer=(0, True, 0), base_index=1) + KEY)
    upper = vp9_part(descriptor(first=True, last=True, predicted=False, layer=(0, True, 1), base_index=1) + KEY)
    assert (base.first, base.keyframe, base.data) == (True, True, KEY)
    assert (upper.first, upper.keyframe, upper.data) == (False, False, KEY)


@pytest.mark.parametrize(
    ("head", "expected"), [(0x82, True), (0x86, False), (0x8A, False), (0x42, False), (0xB2, False), (0xB1, True)]
)
def test_keyframe_is_read_from_the_picture_itself(head: int, expected) -> None:
    """Key, inter and repeated pictures, no picture at all, and the shifted header of profile 3."""
    start = descriptor(first=True, last=True, predicted=False)
    assert vp9_part(start + bytes([head])).keyframe == expected
    assert not vp9_part(descriptor(first=True, last=True, predicted=True) + bytes([head])).keyframe
    assert not vp9_part(descriptor(first=False, last=True, predicted=False) + bytes([head])).keyframe


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x88",
        b"\x88\x80",
        b"\xa8\x05\x00",
        b"\x18\x00" + KEY,
        b"\xd8\x05\x03\x03\x03\x02" + INTER,
        b"\x0a\x38\x00",
        b"\x0a\x08\x03\x04",
    ],
    ids=[
        "nothing",
        "no id",
        "half an id",
        "no base index",
        "references without ids",
        "four references",
        "sizes",
        "pattern",
    ],
)
def test_broken_descriptors_are_refused(payload: bytes) -> None:
    """What is cut off or contradicts itself is a ValueError."""
    with pytest.raises(ValueError, match="VP9"):
        vp9_part(payload)
