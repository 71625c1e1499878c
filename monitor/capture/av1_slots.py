# SPDX-License-Identifier: Apache-2.0
"""AV1 pictures of one stream in their order in; the same, with their layer and the references they touch, out."""

from collections.abc import Iterator
from typing import Final

from .av1_frame import EVERY_SLOT, Slots, read_slots
from .av1_sequence import Sequence, read_sequence
from .payload_av1 import read_length
from .unit import Unit

__all__ = ["SlotReader"]

SEQUENCE: Final = 1
FRAMES: Final = frozenset({3, 6})
HAS_EXTENSION: Final = 0x04

Units = Iterator[tuple[int, int | None, bytes]]


class SlotReader:
    """Reads what packets do not say: without the dependency descriptor only the pictures tell what they refer to.

    The frames of one picture, one for each spatial layer, count together. A header that cannot be read touches
    everything; under a sequence header that is not understood nothing is told.
    """

    def __init__(self) -> None:
        self._sequence: Sequence | None = None

    def told(self, unit: Unit) -> Unit:
        """A whole temporal unit with sizes, told of."""
        try:
            slots, layer = self._touched(unit.data)
        except (ValueError, IndexError):
            slots, layer = Slots(EVERY_SLOT, EVERY_SLOT), None
        if self._sequence is None or slots is None:
            return unit
        return unit._replace(slots=slots, layer=layer, disposable=not slots.writes)

    def _touched(self, data: bytes) -> tuple[Slots | None, int | None]:
        touched, layer = None, None
        for kind, named, body in _units(data):
            if kind == SEQUENCE:
                self._sequence = read_sequence(body)
            elif kind in FRAMES and self._sequence is not None:
                slots, layer = read_slots(body, self._sequence), named if layer is None else layer
                touched = slots if touched is None else _one_after_the_other(touched, slots)
        return touched, layer


def _one_after_the_other(first: Slots, second: Slots) -> Slots:
    return Slots(first.reads | second.reads & ~first.writes, first.writes | second.writes)


def _units(data: bytes) -> Units:
    """Kind, temporal layer and body of each unit (AV1 bitstream, section 5.3)."""
    at = 0
    while at < len(data):
        head, begin = data[at], at + (2 if data[at] & HAS_EXTENSION else 1)
        layer = data[at + 1] >> 5 if head & HAS_EXTENSION else None
        size, begin = read_length(data, begin)
        yield head >> 3 & 15, layer, data[begin : begin + size]
        at = begin + size
