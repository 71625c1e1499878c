# SPDX-License-Identifier: Apache-2.0
"""Coded pictures in; the CPU time of decoding those that must be, and of nothing else, out."""

import time
from collections.abc import Sequence
from typing import Final

import av
from av.video.codeccontext import VideoCodecContext

from monitor.bench.child import pinned
from monitor.capture.decode import DECODERS

__all__ = ["decode_alone"]

MOST_S: Final = 4.0


def decode_alone(
    pictures: Sequence[bytes], kept: int, codec: str = "vp8", streams: int = 1, core: int | None = None
) -> float:
    """CPU milliseconds for each picture sent when every `kept`-th is decoded, on one thread.

    As many decoders as there are streams take turns, without a pause between pictures, on a core if one is named; after
    four seconds what was done is the measure.
    """
    if core is not None:
        with pinned(core):
            return decode_alone(pictures, kept, codec, streams)
    decoders, done = [_decoder(codec) for _ in range(streams)], 0
    began_s = time.thread_time()
    for data in pictures[::kept]:
        for decoder in decoders:
            decoder.decode(av.Packet(data))
        done += streams
        if time.thread_time() - began_s > MOST_S:
            break
    return 1000 * (time.thread_time() - began_s) / (done * kept)


def _decoder(codec: str) -> VideoCodecContext:
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    return decoder
