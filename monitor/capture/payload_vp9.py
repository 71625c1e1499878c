# SPDX-License-Identifier: Apache-2.0
"""A VP9 payload in; its part of the coded picture out."""

from typing import Final

from .part import Part

__all__ = ["vp9_part"]

HAS_PICTURE_ID: Final = 0x80
PREDICTED: Final = 0x40
HAS_LAYERS: Final = 0x20
FLEXIBLE: Final = 0x10
BEGINS: Final = 0x08
HAS_STRUCTURE: Final = 0x02
LONG_PICTURE_ID: Final = 0x80
SWITCHING_POINT: Final = 0x10
MORE_REFERENCES: Final = 0x01
MOST_REFERENCES: Final = 3
HAS_SIZES: Final = 0x10
HAS_PATTERN: Final = 0x08
SIZE_BYTES: Final = 4

FRAME_MARKER: Final = 0xC0
HIGHEST_PROFILE: Final = 0x30


def vp9_part(payload: bytes) -> Part:
    """Take off the VP9 payload descriptor (RFC 9628, section 4.2). Raises ValueError for one that is cut off or wrong.

    The spatial layers of one timestamp are one picture, that begins with the lowest.
    """
    try:
        return _part(payload)
    except IndexError:
        raise ValueError("a VP9 payload is truncated") from None


def _part(payload: bytes) -> Part:
    flags, part, at, spatial = payload[0], Part(b""), 1, 0
    if flags & HAS_PICTURE_ID:
        at = _picture_id(payload, at, part)
    if flags & HAS_LAYERS:
        spatial = payload[at] >> 1 & 7
        at = _layers(payload, at, part, flexible=bool(flags & FLEXIBLE))
    if flags & FLEXIBLE:
        at = _distances(payload, at, part, predicted=bool(flags & PREDICTED))
    if flags & HAS_STRUCTURE:
        at = _after_structure(payload, at)
    part.keyframe = _is_key(payload[at]) and bool(flags & BEGINS) and not (flags & PREDICTED or spatial)
    part.data, part.first = payload[at:], bool(flags & BEGINS) and spatial == 0
    return part


def _picture_id(payload: bytes, at: int, part: Part) -> int:
    long = payload[at] & LONG_PICTURE_ID
    part.picture_id = (payload[at] & 0x7F) << 8 | payload[at + 1] if long else payload[at]
    part.id_bits = 15 if long else 7
    return at + (2 if long else 1)


def _layers(payload: bytes, at: int, part: Part, *, flexible: bool) -> int:
    part.layer, part.switch = payload[at] >> 5, bool(payload[at] & SWITCHING_POINT)
    if flexible:
        return at + 1
    part.base_index = payload[at + 1]
    return at + 2


def _distances(payload: bytes, at: int, part: Part, *, predicted: bool) -> int:
    if part.picture_id is None:
        raise ValueError("a VP9 payload names references and no picture id")
    told: list[int] = []
    more = predicted
    while more:
        if len(told) == MOST_REFERENCES:
            raise ValueError("a VP9 picture has more than three references")
        told.append(payload[at] >> 1)
        more = bool(payload[at] & MORE_REFERENCES)
        at += 1
    part.distances = tuple(told)
    return at


def _after_structure(payload: bytes, at: int) -> int:
    """Where the scalability structure ends: sizes of the spatial layers, and the pattern of the temporal ones."""
    head = payload[at]
    at += 1 + (SIZE_BYTES * ((head >> 5) + 1) if head & HAS_SIZES else 0)
    if not head & HAS_PATTERN:
        return at
    pictures, at = payload[at], at + 1
    for _ in range(pictures):
        at += 1 + (payload[at] >> 2 & 3)
    return at


def _is_key(head: int) -> bool:
    """Whether an uncompressed header that begins so is a keyframe's (VP9 bitstream, section 6.2)."""
    if head & FRAME_MARKER != 0x80:
        return False
    shown_again_or_inter = 0x06 if head & HIGHEST_PROFILE == HIGHEST_PROFILE else 0x0C
    return not head & shown_again_or_inter
