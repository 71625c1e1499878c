# SPDX-License-Identifier: Apache-2.0
"""An AV1 frame header in; the slots of the decoder that the frame reads and writes out."""

from dataclasses import dataclass
from typing import Final

from .av1_sequence import SELECT, Sequence
from .bits import Bits

__all__ = ["EVERY_SLOT", "HEADER_BYTES", "Slots", "read_slots"]

EVERY_SLOT: Final = 0xFF
HEADER_BYTES: Final = 64
"""What is read lies within so many bytes, whatever the sequence header says."""

KEY, INTRA_ONLY, SWITCH = 0, 2, 3
REFERENCES: Final = 7
SLOTS: Final = 8


@dataclass(frozen=True, slots=True)
class Slots:
    """Which of the eight reference frames a picture uses and replaces, a bit for each."""

    reads: int
    writes: int


def read_slots(body: bytes, sequence: Sequence) -> Slots:
    """Read a frame header as far as its references (AV1 bitstream, section 5.9.2). Raises ValueError when cut off.

    Where references are only told in short, every slot counts as read.
    """
    bits = Bits(body[:HEADER_BYTES])
    if bits.flag():
        return Slots(1 << bits.take(3), 0)
    kind, shown = bits.take(2), bits.flag()
    bits.take(0 if shown else 1)
    begins = kind == SWITCH or (kind == KEY and shown)
    resilient = begins or bits.flag()
    _skip_to_order(bits, sequence, override=kind != SWITCH)
    intra = kind in {KEY, INTRA_ONLY}
    bits.take(0 if intra or resilient else 3)
    writes = EVERY_SLOT if begins else bits.take(SLOTS)
    if resilient and not (intra and writes == EVERY_SLOT):
        bits.take(SLOTS * sequence.order_bits)
    return Slots(0 if intra else _reads(bits, sequence), writes)


def _skip_to_order(bits: Bits, sequence: Sequence, *, override: bool) -> None:
    bits.take(1)
    screen_content = bits.take(1) if sequence.screen_content == SELECT else sequence.screen_content
    if screen_content and sequence.integer_motion == SELECT:
        bits.take(1)
    bits.take(sequence.id_bits + override + sequence.order_bits)


def _reads(bits: Bits, sequence: Sequence) -> int:
    if sequence.order_bits and bits.flag():
        return EVERY_SLOT
    reads = 0
    for _ in range(REFERENCES):
        reads |= 1 << bits.take(3)
        bits.take(sequence.difference_bits)
    return reads
