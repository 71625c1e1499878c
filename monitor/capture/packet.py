# SPDX-License-Identifier: Apache-2.0
"""RTP datagrams in; what their headers say, and their payloads, out."""

from struct import Struct
from typing import Final, NamedTuple, Protocol

__all__ = ["HEADER_BYTES", "SOURCE", "MediaPacket", "Packet", "is_media", "parse", "unwrapped"]

HEADER: Final = Struct("!BBHII")
HEADER_BYTES: Final = HEADER.size
SOURCE: Final = slice(8, 12)
"""The bytes that name the stream; they are not encrypted (RFC 3711, section 3.1)."""

EXTENSION: Final = Struct("!HH")
WORD_BYTES: Final = 4
VERSION: Final = 0x80
VERSION_BITS: Final = 0xC0
PADDED: Final = 0x20
EXTENDED: Final = 0x10
SOURCES: Final = 0x0F
AGAIN_BYTES: Final = 2
"""The first sequence number, before the payload of a packet sent again (RFC 4588, section 4)."""


class Packet(Protocol):
    """What is asked of a packet, whoever took it apart."""

    @property
    def marker(self) -> int:
        """1 in the last packet of a picture."""

    @property
    def payload_type(self) -> int:
        """7 bits that name the codec."""

    @property
    def sequence_number(self) -> int:
        """16 bits."""

    @property
    def timestamp(self) -> int:
        """32 bits, in ticks of 1/90,000 s."""

    @property
    def ssrc(self) -> int:
        """32 bits that name the stream."""

    @property
    def payload(self) -> bytes:
        """Without padding."""


class MediaPacket(NamedTuple):
    """A packet without what nobody here asks for: contributing sources and header extensions."""

    marker: int
    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


def is_media(data: bytes) -> bool:
    """Whether a datagram of two bytes or more is RTP, and not RTCP (RFC 7983; RFC 5761, section 4)."""
    return 128 <= data[0] < 192 and not 192 <= data[1] < 224


def parse(data: bytes) -> MediaPacket:
    """Take a decrypted datagram apart (RFC 3550, section 5.1). Raises ValueError for what is no RTP packet."""
    if len(data) < HEADER_BYTES:
        raise ValueError("an RTP packet is truncated")
    flags, kind, sequence, stamp, source = HEADER.unpack_from(data)
    if flags & VERSION_BITS != VERSION:
        raise ValueError("an RTP packet is of another version")
    payload = data[HEADER_BYTES:] if flags == VERSION else _payload(data, flags)
    return MediaPacket(kind >> 7, kind & 0x7F, sequence, stamp, source, payload)


def unwrapped(packet: Packet, payload_type: int, ssrc: int) -> MediaPacket | None:
    """The packet that was sent again by this one (RFC 4588) in the stream `ssrc`; None for one that holds nothing."""
    if len(packet.payload) < AGAIN_BYTES:
        return None
    sequence = int.from_bytes(packet.payload[:AGAIN_BYTES], "big")
    return MediaPacket(packet.marker, payload_type, sequence, packet.timestamp, ssrc, packet.payload[AGAIN_BYTES:])


def _payload(data: bytes, flags: int) -> bytes:
    at = HEADER_BYTES + WORD_BYTES * (flags & SOURCES)
    if flags & EXTENDED:
        if len(data) < at + EXTENSION.size:
            raise ValueError("an RTP header extension is truncated")
        at += EXTENSION.size + WORD_BYTES * EXTENSION.unpack_from(data, at)[1]
    padding = data[-1] if flags & PADDED else 0
    if len(data) - padding < at or (flags & PADDED and not padding):
        raise ValueError("an RTP packet is truncated, or its padding is")
    return data[at : len(data) - padding]
