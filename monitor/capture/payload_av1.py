# SPDX-License-Identifier: Apache-2.0
"""AV1 payloads in; what each says, and all of a picture as one temporal unit with the sizes put back, out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from .part import Part

__all__ = ["av1_part", "av1_unit", "read_length"]

CONTINUES: Final = 0x80
CONTINUED: Final = 0x40
SEQUENCE_BEGINS: Final = 0x08

FORBIDDEN: Final = 0x80
HAS_EXTENSION: Final = 0x04
HAS_SIZE: Final = 0x02
DELIMITER: Final = 2
TILE_LIST: Final = 8
PADDING: Final = 15
LEFT_OUT: Final = frozenset({DELIMITER, TILE_LIST, PADDING})
"""Kinds of unit that packets must not carry or decoders do not need (AOM RTP specification, section 5)."""

MOST_LENGTH_BYTES: Final = 8
MOST_UNITS: Final = 64
"""Senders put a handful of units into a packet; one full of empty ones is made to cost time."""

TEMPORAL_UNIT: Final = bytes([DELIMITER << 3 | HAS_SIZE, 0])


def av1_part(payload: bytes) -> Part:
    """Read the aggregation header (AOM RTP specification, section 4.4); the data stay as they came.

    Units are cut anywhere and say their length in no packet, so only `av1_unit` can join them. Raises ValueError for a
    payload that is cut off or contradicts itself.
    """
    elements = sum(1 for _ in _elements(payload))
    begins = bool(payload[0] & SEQUENCE_BEGINS)
    if not elements or (begins and payload[0] & CONTINUES):
        raise ValueError("an AV1 payload is empty or contradicts itself")
    return Part(payload, first=begins, keyframe=begins)


def av1_unit(payloads: Sequence[bytes]) -> bytes:
    """Join all payloads of one timestamp to a temporal unit (AV1 bitstream, sections 5.3 to 5.6).

    Empty when there is nothing for a decoder in it; ValueError for what does not fit together.
    """
    units = b"".join([_with_size(b"".join(each)) for each in _fragments(payloads)])
    return TEMPORAL_UNIT + units if units else b""


def _fragments(payloads: Iterable[bytes]) -> list[list[bytes]]:
    units: list[list[bytes]] = []
    unfinished = False
    for payload in payloads:
        if bool(payload[0] & CONTINUES) != unfinished:
            raise ValueError("fragments of an AV1 unit do not follow each other")
        elements = [[each] for each in _elements(payload)]
        if unfinished:
            units[-1] += elements.pop(0)
        units += elements
        unfinished = bool(payload[0] & CONTINUED)
    if unfinished:
        raise ValueError("an AV1 unit has no end")
    return units


def _elements(payload: bytes) -> Iterator[bytes]:
    """The units, or fragments of units, of one packet; when they are counted the last one has no length."""
    if not payload:
        raise ValueError("an AV1 payload is empty")
    count, at, number = payload[0] >> 4 & 3, 1, 0
    while at < len(payload):
        number += 1
        if number > MOST_UNITS:
            raise ValueError("an AV1 payload has too many units")
        size, at = (len(payload) - at, at) if number == count else read_length(payload, at)
        if at + size > len(payload):
            raise ValueError("an AV1 payload is truncated")
        yield payload[at : at + size]
        at += size
    if count and number != count:
        raise ValueError("an AV1 payload has fewer units than it says")


def _with_size(unit: bytes) -> bytes:
    """One unit with its size after its header; nothing for units that no decoder gets."""
    if not unit or unit[0] & FORBIDDEN:
        raise ValueError("an AV1 unit has no header")
    end = 2 if unit[0] & HAS_EXTENSION else 1
    head, body = unit[:end], unit[end:]
    if len(head) < end:
        raise ValueError("an AV1 unit is truncated")
    if unit[0] >> 3 & 15 in LEFT_OUT:
        return b""
    if head[0] & HAS_SIZE:
        size, begin = read_length(body, 0)
        body = body[begin : begin + size]
        if len(body) < size:
            raise ValueError("an AV1 unit is truncated")
    return bytes([head[0] | HAS_SIZE]) + head[1:] + _leb128(len(body)) + body


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """A length in LEB128 (AV1 bitstream, section 4.10.5), and where it ends."""
    value = 0
    for step, byte in enumerate(data[at : at + MOST_LENGTH_BYTES]):
        value |= (byte & 0x7F) << 7 * step
        if not byte & 0x80:
            return value, at + step + 1
    raise ValueError("a length in an AV1 payload has no end")


def _leb128(value: int) -> bytes:
    coded = bytearray()
    while value > 0x7F:
        coded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*coded, value])
