# SPDX-License-Identifier: Apache-2.0
"""The bounded queue before a decoder."""

import threading

import pytest
from aiortc.codecs import CODECS
from aiortc.jitterbuffer import JitterFrame

from monitor.capture.backlog import DECODER_BACKLOG, DecoderQueue

VP8, H264 = CODECS["video"][0], CODECS["video"][2]
VP8_KEY, VP8_DELTA = b"\x10\x02\x00", b"\x11\x02\x00"
H264_KEY, H264_DELTA = b"\x00\x00\x00\x01\x09\xf0\x00\x00\x00\x01\x67\x4d", b"\x00\x00\x00\x01\x41\x9a"


@pytest.mark.parametrize(
    ("codec", "key", "delta"), [(VP8, VP8_KEY, VP8_DELTA), (H264, H264_KEY, H264_DELTA)], ids=["vp8", "h264"]
)
def test_backlog_is_thrown_away_up_to_a_keyframe(codec, key: bytes, delta: bytes) -> None:
    """A decoder that falls behind gets nothing but a keyframe next, and one is asked for."""
    wanted = threading.Event()
    queue = DecoderQueue(wanted)
    queue.put((codec, JitterFrame(key, 0)))
    for step in range(DECODER_BACKLOG - 1):
        queue.put((codec, JitterFrame(delta, step)))
    assert queue.qsize() == DECODER_BACKLOG
    assert not wanted.is_set()
    for step in range(5):
        queue.put((codec, JitterFrame(delta, step)))
    assert queue.qsize() == 0
    assert wanted.is_set()
    assert queue.dropped_count == DECODER_BACKLOG + 5
    queue.put((codec, JitterFrame(key, 99)))
    queue.put((codec, JitterFrame(delta, 100)))
    assert [queue.get()[1].timestamp, queue.get()[1].timestamp] == [99, 100]
    assert list(queue.keyframes) == [0, 99]
    assert queue.received_count == DECODER_BACKLOG + 7
    assert queue.codec == codec.name.lower()


def test_stop_goes_ahead() -> None:
    """Ending a session does not decode what still waits."""
    queue = DecoderQueue(threading.Event())
    for step in range(10):
        queue.put((VP8, JitterFrame(VP8_KEY, step)))
    queue.put(None)
    assert queue.get() is None
    assert queue.qsize() == 0
