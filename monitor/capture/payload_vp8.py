# SPDX-License-Identifier: Apache-2.0
"""A VP8 payload in; its part of the coded picture out."""

from typing import Final

from .part import Part

__all__ = ["vp8_part"]

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
