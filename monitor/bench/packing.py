# SPDX-License-Identifier: Apache-2.0
"""Coded VP9 and AV1 pictures in; RTP payloads as a browser sends them out."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Final

import aiortc.rtcrtpsender
from aiortc.codecs import get_encoder
from aiortc.codecs.base import Encoder
from aiortc.mediastreams import VIDEO_TIME_BASE, convert_timebase
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av import Packet, VideoFrame
from av.stream import Stream

from monitor.bench.layers import LAYER_IDS, PAYLOAD_BYTES, PERIOD, LayeredVp8
from monitor.capture.payload_av1 import read_length

__all__ = ["Av1Packer", "Vp9Packer", "send_coded"]

SWITCH: Final = (1, 0, 1, 0)
"""Where upper layers of libvpx's pattern may begin anew (RFC 9628, section 4.2)."""

INTER_PICTURE: Final = 0x04
"""In the first byte of a VP9 picture of profile 0 that is shown."""

DELIMITER: Final = 2
SEQUENCE: Final = 1
HAS_EXTENSION: Final = 0x04
HAS_SIZE: Final = 0x02


class Packer(Encoder):
    """Packs pictures that were encoded beforehand, one after the other; the first of layered ones is a base picture."""

    def __init__(self, *, layered: bool) -> None:
        self._layered = layered
        self._step = -1

    def encode(self, frame: VideoFrame, force_keyframe: bool = False) -> tuple[list[bytes], int]:  # type: ignore[override]  # noqa: FBT001, FBT002
        """Never called: callers give coded pictures. Raises NotImplementedError."""
        raise NotImplementedError

    def pack(self, packet: "Packet[Stream]") -> tuple[list[bytes], int]:
        """Payloads of one picture and its RTP timestamp."""
        self._step += 1
        assert packet.pts is not None
        assert packet.time_base is not None
        return self._payloads(bytes(packet)), convert_timebase(packet.pts, packet.time_base, VIDEO_TIME_BASE)

    @abstractmethod
    def _payloads(self, picture: bytes) -> list[bytes]: ...


class Vp9Packer(Packer):
    """Names each picture and, of layered ones, its layer and the base picture that it belongs to."""

    def _payloads(self, picture: bytes) -> list[bytes]:
        inter, begins = bool(picture[0] & INTER_PICTURE), range(0, len(picture), PAYLOAD_BYTES)
        told = (0x8000 | self._step % (1 << 15)).to_bytes(2, "big") + (self._layer() if self._layered else b"")
        flags = 0x80 | inter << 6 | self._layered << 5
        return [
            bytes([flags | (at == 0) << 3 | (at == begins[-1]) << 2]) + told + picture[at : at + PAYLOAD_BYTES]
            for at in begins
        ]

    def _layer(self) -> bytes:
        place = self._step % PERIOD
        return bytes([LAYER_IDS[place] << 5 | SWITCH[place] << 4, self._step // PERIOD % 256])


class Av1Packer(Packer):
    """Puts each unit, or a fragment of one, into a packet of its own; layered ones get their layer written in."""

    def _payloads(self, picture: bytes) -> list[bytes]:
        payloads = []
        for head, body in _units(picture):
            unit = self._header(head) + body
            for at in range(0, len(unit), PAYLOAD_BYTES):
                flags = (
                    (at > 0) << 7 | (at + PAYLOAD_BYTES < len(unit)) << 6 | 1 << 4 | (head >> 3 & 15 == SEQUENCE) << 3
                )
                payloads.append(bytes([flags]) + unit[at : at + PAYLOAD_BYTES])
        return payloads

    def _header(self, head: int) -> bytes:
        if not self._layered:
            return bytes([head & ~HAS_SIZE])
        return bytes([head & ~HAS_SIZE | HAS_EXTENSION, LAYER_IDS[self._step % PERIOD] << 5])


def _units(picture: bytes) -> Iterator[tuple[int, bytes]]:
    """Header and body of the units of a temporal unit, without extensions, sizes and the delimiter."""
    at = 0
    while at < len(picture):
        head = picture[at]
        assert head & (HAS_SIZE | HAS_EXTENSION) == HAS_SIZE
        size, begin = read_length(picture, at + 1)
        at = begin + size
        if head >> 3 & 15 != DELIMITER:
            yield head & ~HAS_EXTENSION, picture[begin:at]


def send_coded(*, layered: bool) -> None:
    """Let every sender of this process pack what aiortc cannot, and say the layers of what is layered."""
    aiortc.rtcrtpsender.get_encoder = lambda codec: _encoder(codec, layered=layered)  # type: ignore[attr-defined]


def _encoder(codec: RTCRtpCodecParameters, *, layered: bool) -> Encoder:
    name = codec.name.lower()
    if name in PACKERS:
        return PACKERS[name](layered=layered)
    return LayeredVp8() if layered and name == "vp8" else get_encoder(codec)


PACKERS: Final = {"vp9": Vp9Packer, "av1": Av1Packer}
