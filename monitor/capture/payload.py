# SPDX-License-Identifier: Apache-2.0
"""Payloads of RTP packets in; their part of the coded picture, and what the packet says of it, out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiortc.codecs.h264 import h264_depayload

__all__ = ["PARSERS", "Part", "h264_part", "vp8_part"]

EXTENDED: Final = 0x80
NON_REFERENCE: Final = 0x20
PARTITION: Final = 0x17
FIRST_PARTITION: Final = 0x10
HAS_PICTURE_ID: Final = 0x80
HAS_BASE_INDEX: Final = 0x40
HAS_LAYER: Final = 0x20
HAS_KEY_INDEX: Final = 0x10
LONG_PICTURE_ID: Final = 0x80
LAYER_SYNC: Final = 0x20
INTER_FRAME: Final = 0x01

AGGREGATE: Final = 24
FRAGMENT: Final = 28
FRAGMENT_BEGINS: Final = 0x80
REFERENCED: Final = 0x60
SLICE: Final = 1
INTRA_SLICE: Final = 5
PARAMETERS: Final = 7
DELIMITER: Final = 9
LAYER_PREFIX: Final = 14
PREFIX_BYTES: Final = 4
FIRST_OF_PICTURE: Final = 0x80
"""The first bit of a slice header is 1 when its first macroblock is the picture's first (ue(v) of 0)."""


@dataclass(slots=True)
class Part:
    """One packet's share of a picture.

    `first` says that the picture surely begins here, `keyframe` that it needs no other. `layer` is the temporal layer,
    `sync` whether it refers to the base layer alone; `base_index` (8 bits) and `picture_id` (`id_bits` bits) count base
    pictures and pictures. `disposable` says that no other picture refers to this one.
    """

    data: bytes
    first: bool = False
    keyframe: bool = False
    layer: int | None = None
    sync: bool = False
    disposable: bool = False
    base_index: int | None = None
    picture_id: int | None = None
    id_bits: int = 15


def vp8_part(payload: bytes) -> Part:
    """Take off the VP8 payload descriptor (RFC 7741, section 4.2). Raises ValueError for a truncated one."""
    try:
        at = 2 if payload[0] & EXTENDED else 1
        part = Part(b"", first=payload[0] & PARTITION == FIRST_PARTITION, disposable=bool(payload[0] & NON_REFERENCE))
        if at == 2:
            at = _vp8_extension(payload, part)
        part.data = payload[at:]
        part.keyframe = part.first and not part.data[0] & INTER_FRAME
    except IndexError:
        raise ValueError("a VP8 payload is truncated") from None
    return part


def _vp8_extension(payload: bytes, part: Part) -> int:
    flags, at = payload[1], 2
    if flags & HAS_PICTURE_ID:
        long = payload[at] & LONG_PICTURE_ID
        part.picture_id = (payload[at] & 0x7F) << 8 | payload[at + 1] if long else payload[at]
        part.id_bits = 15 if long else 7
        at += 2 if long else 1
    if flags & HAS_BASE_INDEX:
        part.base_index = payload[at]
        at += 1
    if flags & (HAS_LAYER | HAS_KEY_INDEX):
        if flags & HAS_LAYER:
            part.layer, part.sync = payload[at] >> 6, bool(payload[at] & LAYER_SYNC)
        at += 1
    return at


def h264_part(payload: bytes) -> Part:
    """Make an H.264 payload a byte stream (RFC 6184: single units, STAP-A, FU-A). Raises ValueError for others.

    A unit that prefixes a slice (SVC, H.264 annex G) names its temporal layer.
    """
    data = bytes(h264_depayload(payload))
    kind = payload[0] & 0x1F
    if kind == FRAGMENT:
        return _h264_unit(payload[1] & 0x1F, payload[0], payload[2:], data) if _begins(payload) else Part(data)
    if kind != AGGREGATE:
        return _h264_unit(kind, payload[0], payload[1:], data)
    part = Part(data)
    for unit in data.split(b"\0\0\0\1")[1:]:
        told = _h264_unit(unit[0] & 0x1F, unit[0], unit[1:], b"") if unit else part
        part.first |= told.first
        part.keyframe |= told.keyframe
        part.disposable |= told.disposable
        part.layer = told.layer if told.layer is not None else part.layer
    return part


def _begins(payload: bytes) -> bool:
    return bool(payload[1] & FRAGMENT_BEGINS)


def _h264_unit(kind: int, header: int, body: bytes, data: bytes) -> Part:
    slices = kind in {SLICE, INTRA_SLICE}
    first = kind in {PARAMETERS, DELIMITER} or (slices and bool(body) and bool(body[0] & FIRST_OF_PICTURE))
    part = Part(data, first=first, keyframe=kind in {INTRA_SLICE, PARAMETERS})
    part.disposable = slices and not header & REFERENCED
    if kind == LAYER_PREFIX and len(body) >= PREFIX_BYTES - 1:
        part.layer = body[2] >> 5
    return part


PARSERS: Final[Mapping[str, Callable[[bytes], Part]]] = {"vp8": vp8_part, "h264": h264_part}
"""What can be taken apart here, by the codec's name in lower case."""
