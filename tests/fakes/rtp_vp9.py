# SPDX-License-Identifier: Apache-2.0
"""Pictures coded as VP9 in, RTP packets as browsers and media servers send them out."""

from collections.abc import Sequence

from aiortc.rtp import RtpPacket

from tests.fakes.rtp import LAYER_IDS, LAYERED, PACKET_BYTES, coded_pictures, packets_of

__all__ = ["REFERENCES", "SWITCH", "descriptor", "vp9_pictures", "vp9_rtp"]

SWITCH = (True, False, True, False)
"""Where upper layers may begin anew in the pattern of libvpx's layering mode 3."""

REFERENCES = ((4,), (1,), (2,), (1, 3))
"""Distances to the pictures that each of the pattern refers to."""

STRUCTURE = bytes([0x18, 0, 160, 0, 120, 4, 0x14, 4, 0x44, 1, 0x34, 2, 0x48, 1, 3])
"""One spatial layer of 160 x 120, four pictures in the pattern: TID 0, 2, 1, 2 with their references."""


def vp9_pictures(
    count: int, size: tuple[int, int] = (160, 120), *, layered: bool = False, keyframes: Sequence[int] = (0,)
) -> list[bytes]:
    """Code the moving pattern, 30 pictures/s; with layers as L1T3."""
    options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"} | (LAYERED if layered else {})
    return coded_pictures("libvpx-vp9", options, count, size, keyframes)


def descriptor(
    *,
    first: bool,
    last: bool,
    predicted: bool,
    picture_id: int | None = None,
    layer: tuple[int, bool, int] | None = None,
    base_index: int | None = None,
    distances: Sequence[int] | None = None,
    structure: bytes = b"",
) -> bytes:
    """A payload descriptor (RFC 9628, section 4.2); `layer` is temporal layer, switching point and spatial layer."""
    flags = 0x80 * (picture_id is not None) | 0x40 * predicted | 0x20 * (layer is not None)
    flags |= 0x10 * (distances is not None) | 0x08 * first | 0x04 * last | 0x02 * bool(structure)
    out = bytearray([flags])
    if picture_id is not None:
        out += bytes([0x80 | picture_id >> 8, picture_id & 0xFF])
    if layer is not None:
        out.append(layer[0] << 5 | layer[1] << 4 | layer[2] << 1)
        out += b"" if base_index is None else bytes([base_index])
    for number, distance in enumerate(distances or (), 1):
        out.append(distance << 1 | (number < len(distances or ())))
    return bytes(out) + structure


def vp9_rtp(
    pictures: Sequence[bytes], *, layered: bool = False, flexible: bool = False, start: int = 65_530, stamp: int = 0
) -> list[list[RtpPacket]]:
    """Packets of each picture: counted, in layers as L1T3 with a base index, or naming their references."""
    sent, base, sequence = [], -1, start
    for step, data in enumerate(pictures):
        place = step % len(LAYER_IDS)
        base += LAYER_IDS[place] == 0
        key = not data[0] & 0x04
        payloads = []
        for at in range(0, len(data), PACKET_BYTES):
            head = descriptor(
                first=at == 0,
                last=at + PACKET_BYTES >= len(data),
                predicted=not key,
                picture_id=step % 32_768,
                layer=(LAYER_IDS[place], SWITCH[place], 0) if layered else None,
                base_index=base % 256 if layered and not flexible else None,
                distances=None if not flexible else () if key else _distances(place, layered=layered),
                structure=STRUCTURE if key and at == 0 else b"",
            )
            payloads.append(head + data[at : at + PACKET_BYTES])
        sent.append(packets_of(payloads, sequence, stamp + 3000 * step))
        sequence += len(payloads)
    return sent


def _distances(place: int, *, layered: bool) -> tuple[int, ...]:
    return REFERENCES[place] if layered else (1,)
