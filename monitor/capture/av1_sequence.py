# SPDX-License-Identifier: Apache-2.0
"""An AV1 sequence header in; what is needed to read the frame headers after it out."""

from dataclasses import dataclass
from typing import Final

from .bits import Bits

__all__ = ["SELECT", "Sequence", "read_sequence"]

FIRST_TIERED_LEVEL: Final = 8
SELECT: Final = 2
"""Each frame says itself whether it uses a tool (AV1 bitstream, section 3)."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Bits of a frame id, of a difference of two, and of an order hint, 0 where there is none; tools as coded."""

    id_bits: int
    difference_bits: int
    order_bits: int
    screen_content: int
    integer_motion: int


def read_sequence(body: bytes) -> Sequence | None:
    """Read a sequence header (AV1 bitstream, section 5.5); None for still pictures and timed models of a decoder.

    Neither is sent in calls. Raises ValueError for one that is cut off.
    """
    bits = Bits(body)
    bits.take(3)
    still, reduced, timed = bits.flag(), bits.flag(), bits.flag()
    if still or reduced or timed:
        return None
    _operating_points(bits)
    id_bits, difference_bits = _sizes(bits)
    bits.take(3)
    return _tools(bits, id_bits, difference_bits)


def _operating_points(bits: Bits) -> None:
    delayed = bits.flag()
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) >= FIRST_TIERED_LEVEL:
            bits.take(1)
        if delayed and bits.flag():
            bits.take(4)


def _sizes(bits: Bits) -> tuple[int, int]:
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    bits.take(width_bits + height_bits)
    if not bits.flag():
        return 0, 0
    difference_bits = bits.take(4) + 2
    return difference_bits + bits.take(3) + 1, difference_bits


def _tools(bits: Bits, id_bits: int, difference_bits: int) -> Sequence:
    bits.take(4)
    ordered = bits.flag()
    bits.take(2 if ordered else 0)
    screen_content = SELECT if bits.flag() else bits.take(1)
    integer_motion = SELECT
    if screen_content:
        integer_motion = SELECT if bits.flag() else bits.take(1)
    order_bits = bits.take(3) + 1 if ordered else 0
    return Sequence(id_bits, difference_bits, order_bits, screen_content, integer_motion)
