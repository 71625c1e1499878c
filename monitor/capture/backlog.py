# SPDX-License-Identifier: Apache-2.0
"""Encoded frames of a receiver in; those that its decoder can still keep up with out."""

import queue
import threading
from collections import deque
from typing import Final

from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

__all__ = ["DecoderQueue"]

DECODER_BACKLOG: Final = 60
"""Encoded frames that may wait for a decoder: two seconds at 30 frames/s, then the stream is behind."""

VP8_KEYFRAME_BIT: Final = 0x01

H264_INTRA_UNITS: Final = frozenset({5, 7})

H264_TELLING_UNITS: Final = frozenset({1, 2, 5, 7})
"""Unit types of H.264, table 7-1: slice, slice partition, slice of a keyframe, sequence parameters."""

KEYFRAMES_KEPT: Final = 64

Encoded = tuple[RTCRtpCodecParameters, JitterFrame]


class DecoderQueue(queue.Queue[Encoded | None]):
    """Encoded frames between a receiver and its decoder thread, bounded.

    When more than `DECODER_BACKLOG` frames wait, all are thrown away, a keyframe is asked for, and frames
    are refused until it comes: a decoder that lost its references would only smear. A stop (None) goes
    ahead of everything that waits, so that ending a session does not decode its backlog first.
    """

    def __init__(self, keyframe_wanted: threading.Event) -> None:
        super().__init__()
        self._keyframe_wanted = keyframe_wanted
        self._refusing = False
        self.keyframes: deque[int] = deque(maxlen=KEYFRAMES_KEPT)
        self.codec = "unknown"
        self.received_bytes = 0
        self.received_count = 0
        self.dropped_count = 0

    def put(self, item: Encoded | None, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002
        """Take (codec, encoded frame), or None to stop; never waits."""
        if item is None:
            self._empty()
        elif not self._admit(*item):
            self.dropped_count += 1
            return
        super().put(item, block, timeout)

    def _admit(self, codec: RTCRtpCodecParameters, frame: JitterFrame) -> bool:
        self.codec = codec.name.lower()
        self.received_bytes += len(frame.data)
        self.received_count += 1
        if self.qsize() >= DECODER_BACKLOG:
            self.dropped_count += self._empty()
            self._refusing = True
        keyframe = _is_keyframe(self.codec, frame.data)
        if keyframe:
            self.keyframes.append(frame.timestamp)
        self._refusing = self._refusing and not keyframe
        if self._refusing:
            self._keyframe_wanted.set()
        return not self._refusing

    def _empty(self) -> int:
        with self.mutex:
            count = len(self.queue)
            self.queue.clear()
        return count


def _is_keyframe(codec: str, data: bytes) -> bool:
    if codec == "vp8":
        return bool(data) and not data[0] & VP8_KEYFRAME_BIT
    if codec == "h264":
        return _first_unit(data) in H264_INTRA_UNITS
    return True


def _first_unit(data: bytes) -> int:
    """Type of the first unit that is a slice or a parameter set; delimiters and messages may come before it."""
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        unit = data[at + 3] & 0x1F
        if unit in H264_TELLING_UNITS:
            return unit
        at = data.find(b"\x00\x00\x01", at + 3)
    return 0
