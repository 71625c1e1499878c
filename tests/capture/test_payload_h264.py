# SPDX-License-Identifier: Apache-2.0
"""Payloads of H.264, made by others and made up."""

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.capture.payload_h264 import h264_part
from tests.fakes.clips import h264_packets
from tests.fakes.rtp import h264_rtp


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
