# SPDX-License-Identifier: Apache-2.0
"""An H.264 payload in; its part of the coded picture, as a byte stream, out."""

from typing import Final

from aiortc.codecs.h264 import h264_depayload

from .part import Part

__all__ = ["h264_part"]

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
