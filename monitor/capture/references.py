# SPDX-License-Identifier: Apache-2.0
"""Whole coded pictures in order in, which of them a decoder can take without smearing out."""

from typing import Final

from .av1_frame import EVERY_SLOT, Slots
from .pictures import DecodedPictures
from .unit import Unit

__all__ = ["References"]

LAYERS: Final = 4
"""A temporal layer is named with two bits in VP8 and three in H.264, where nobody sends more than four."""

BASE_INDICES: Final = 256
COUNTABLE: Final = 100
"""After more lost packets than this the counts of a stream may have come round: 128 pictures at least, 256 at most."""


class References:
    """Knows which layers of a stream are complete at the decoder.

    A picture whose references are missing would show what never was, so after a loss that may have hit the base layer
    nothing is admitted but a keyframe. Counts in the stream tell whether it did: consecutive picture ids mean that
    nothing was lost, an unbroken base index that only pictures above the base layer were. A layer of which a picture
    is missing comes back with one that refers to the base layer alone (RFC 7741, section 4.2, Y bit), or after one
    that later pictures do not look behind (RFC 9628, section 4.2, U bit). Where pictures name those that they refer to
    (VP9 in flexible mode), or the slots that these are kept in (AV1), that alone decides.
    """

    def __init__(self) -> None:
        self._intact = [False] * LAYERS
        self._last: Unit | None = None
        self._pictures = DecodedPictures()
        self._slots = 0

    @property
    def keyframe_needed(self) -> bool:
        """Whether nothing can be decoded before a keyframe."""
        return not self._intact[0]

    def lose(self, layer: int = 0) -> None:
        """Forget the references from this layer on: pictures of it are missing at the decoder."""
        self._intact[layer:] = [False] * (LAYERS - layer)

    def admits(self, unit: Unit) -> bool:
        """Take note of a unit that came; whether a decoder that took all admitted ones can take it."""
        last, self._last = self._last, unit
        if last is None or unit.codec != last.codec or unit.lost > COUNTABLE:
            self.lose()
        elif unit.distances is None and unit.lost and not _follows(last, unit):
            self.lose(1 if _same_base(last, unit) else 0)
        if unit.keyframe:
            self._intact = [True] * LAYERS
            self._pictures.forget()
            self._slots = EVERY_SLOT
        if unit.distances is not None:
            return self._admits_by_name(unit, unit.distances)
        return self._admits_by_layer(unit) if unit.slots is None else self._admits_by_slot(unit, unit.slots)

    def _admits_by_layer(self, unit: Unit) -> bool:
        layer = _layer(unit)
        admitted = self._intact[0] and (unit.sync or all(self._intact[: layer + 1]))
        self._intact[layer] |= admitted
        if admitted and unit.switch:
            self._intact[layer:] = [True] * (LAYERS - layer)
        return admitted

    def _admits_by_name(self, unit: Unit, distances: tuple[int, ...]) -> bool:
        self._pictures.advance(unit.picture_id or 0, unit.id_bits)
        admitted = self._intact[0] and all(self._pictures.has(each) for each in distances)
        if admitted:
            self._pictures.add()
        elif not unit.layer:
            self.lose()
        return admitted

    def _admits_by_slot(self, unit: Unit, slots: Slots) -> bool:
        admitted = self._intact[0] and not slots.reads & ~self._slots
        if admitted:
            self._slots |= slots.writes
        else:
            self._spoil(slots)
            if not unit.layer and not unit.disposable:
                self.lose()
        return admitted

    def _spoil(self, slots: Slots) -> None:
        self._slots &= ~slots.writes

    def leave_out(self, unit: Unit) -> None:
        """An admitted unit is not decoded after all."""
        self._pictures.leave_out()
        if unit.slots is not None:
            self._spoil(unit.slots)
        if not unit.disposable:
            self.lose(_layer(unit))


def _layer(unit: Unit) -> int:
    return min(unit.layer or 0, LAYERS - 1)


def _follows(last: Unit, unit: Unit) -> bool:
    """Whether the two are consecutive pictures, so that what was lost was none."""
    if unit.lost > COUNTABLE or unit.picture_id is None or last.picture_id is None:
        return False
    return (unit.picture_id - last.picture_id) % (1 << unit.id_bits) == 1


def _same_base(last: Unit, unit: Unit) -> bool:
    """Whether no base picture lies between the two."""
    if unit.lost > COUNTABLE or unit.layer is None or unit.base_index is None or last.base_index is None:
        return False
    return (unit.base_index - last.base_index) % BASE_INDICES == (unit.layer == 0)
