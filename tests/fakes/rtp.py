# SPDX-License-Identifier: Apache-2.0
"""Pictures coded in layers in, RTP packets as a browser sends them out."""

import fractions
from collections.abc import Sequence

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtp import RtpPacket
from av import VideoFrame

from tests.fakes.clips import pattern

__all__ = [
    "LAYERED",
    "LAYER_IDS",
    "PACKET_BYTES",
    "coded_pictures",
    "decoded",
    "h264_rtp",
    "packets_of",
    "vp8_pictures",
    "vp8_rtp",
]

LAYER_IDS = (0, 2, 1, 2)
SYNC = (False, True, True, False)
PACKET_BYTES = 1200
LAYERED = {
    "error-resilient": "1",
    "ts-parameters": "ts_number_layers=3:ts_target_bitrate=250,400,600:ts_rate_decimator=4,2,1:ts_periodicity=4"
    ":ts_layer_id=0,2,1,2:ts_layering_mode=3",
}


def vp8_pictures(
    count: int, size: tuple[int, int] = (160, 120), *, layered: bool = False, keyframes: Sequence[int] = (0,)
) -> list[bytes]:
    """Code the moving pattern, 30 pictures/s; with layers as L1T3."""
    options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"} | (LAYERED if layered else {})
    return coded_pictures("libvpx", options, count, size, keyframes)


def coded_pictures(
    encoder: str,
    options: dict[str, str],
    count: int,
    size: tuple[int, int] = (160, 120),
    keyframes: Sequence[int] = (0,),
) -> list[bytes]:
    """Code the moving pattern with one of FFmpeg's encoders, one thread, 30 pictures/s."""
    codec = av.CodecContext.create(encoder, "w")
    codec.width, codec.height = size
    codec.pix_fmt, codec.time_base, codec.framerate = "yuv420p", fractions.Fraction(1, 30), fractions.Fraction(30, 1)
    codec.gop_size, codec.bit_rate, codec.thread_count = 3000, 600_000, 1
    codec.options = options
    coded: list[bytes] = []
    for step in range(count):
        picture: VideoFrame = pattern(*size, step)
        picture.pts, picture.time_base = step, codec.time_base
        picture.pict_type = av.video.frame.PictureType.I if step in keyframes else av.video.frame.PictureType.NONE
        coded += [bytes(packet) for packet in codec.encode(picture)]
    return coded + [bytes(packet) for packet in codec.encode(None)]


def decoded(decoder: str, pictures: Sequence[bytes]) -> list[np.ndarray]:
    """What a decoder that loses nothing shows, as I420."""
    context = av.CodecContext.create(decoder, "r")
    context.thread_count = 1
    shown = [frame for data in pictures for frame in context.decode(av.Packet(data))]
    return [frame.to_ndarray() for frame in [*shown, *context.decode(None)]]


def vp8_rtp(
    pictures: Sequence[bytes], *, layered: bool = False, counted: bool = True, start: int = 65_530, stamp: int = 0
) -> list[list[RtpPacket]]:
    """Packets of each picture; `counted` ones carry picture ids, layered ones all that L1T3 adds."""
    sequence, base, sent = start, -1, []
    for step, data in enumerate(pictures):
        place = step % len(LAYER_IDS)
        base += LAYER_IDS[place] == 0
        descriptor = VpxPayloadDescriptor(1, 0, picture_id=step % 32_768 if counted else None)
        if layered:
            descriptor.tl0picidx, descriptor.tid = base % 256, (LAYER_IDS[place], int(SYNC[place]))
        packets = []
        for at in range(0, len(data), PACKET_BYTES):
            descriptor.partition_start = int(at == 0)
            payload = bytes(descriptor) + data[at : at + PACKET_BYTES]
            packets.append(_packet(sequence + len(packets), stamp + 3000 * step, payload))
        packets[-1].marker = 1
        sequence += len(packets)
        sent.append(packets)
    return sent


def h264_rtp(pictures: Sequence[bytes], *, start: int = 100, stamp: int = 0) -> list[list[RtpPacket]]:
    """Packets of each picture, as aiortc packs them."""
    sent, sequence = [], start
    for step, data in enumerate(pictures):
        payloads = H264Encoder._packetize(H264Encoder._split_bitstream(data))
        sent.append(packets_of(payloads, sequence, stamp + 3000 * step))
        sequence += len(payloads)
    return sent


def packets_of(payloads: Sequence[bytes], sequence: int, stamp: int) -> list[RtpPacket]:
    """The packets of one picture; the last one has the marker."""
    packets = [_packet(sequence + number, stamp, each) for number, each in enumerate(payloads)]
    packets[-1].marker = 1
    return packets


def _packet(sequence: int, stamp: int, payload: bytes) -> RtpPacket:
    return RtpPacket(97, 0, sequence % (1 << 16), stamp % (1 << 32), 1234, payload)
