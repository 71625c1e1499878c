# SPDX-License-Identifier: Apache-2.0
"""Parts of pictures in their order in, whole coded pictures (access units) and word of the broken ones out."""

from typing import Final

from .av1_slots import SlotReader
from .part import Part
from .payload import joined
from .unit import Unit

__all__ = ["MOST_BYTES", "Assembler"]

MOST_BYTES: Final = 8 << 20
"""No coded picture of a call is larger: one that is was put together from a broken stream."""


class Assembler:
    """Joins the parts of one timestamp; a unit ends with the marker bit, or where the next timestamp begins.

    A part after lost packets belongs to a whole unit only if it says itself that a picture begins. A unit with a
    part missing is left out and counts as lost. `broken_count` counts what was left out.
    """

    def __init__(self) -> None:
        self._head: Part | None = None
        self._pieces: list[bytes] = []
        self._key: tuple[str, int] | None = None
        self._arrived_s = 0.0
        self._size = 0
        self._whole = True
        self._lost = 0
        self._unsure = True
        self._slots = SlotReader()
        self.broken_count = 0

    def add(
        self, codec: str, stamp: int, part: Part | None, arrived_s: float, *, marker: bool, lost: int
    ) -> list[Unit]:
        """Take the next part, None for one that could not be read; gives at most two units."""
        key, done = (codec, stamp), []
        if self._key is not None and key != self._key:
            done = self._finish(complete=not lost)
        if lost:
            self.padding(lost)
        if self._key is None:
            self._whole, self._key = not self._unsure or (part is not None and part.first), key
            self._unsure = False
        self._take(part, arrived_s)
        return done + self._finish(complete=True) if marker else done

    def padding(self, lost: int) -> None:
        """Take a packet that holds a sequence number and nothing else."""
        if lost:
            self._lost += lost
            self._unsure, self._whole = True, False

    def _take(self, part: Part | None, arrived_s: float) -> None:
        self._arrived_s = arrived_s
        self._size += len(part.data) if part else 0
        if part is None or self._size > MOST_BYTES:
            self._whole = False
            self._pieces.clear()
            return
        self._pieces.append(part.data)
        if self._head is None:
            self._head = part
        else:
            self._head.join(part)

    def _finish(self, *, complete: bool) -> list[Unit]:
        key, head, pieces = self._key, self._head, self._pieces
        whole = complete and self._whole
        self._key, self._head, self._pieces, self._size, self._whole = None, None, [], 0, True
        data = _data(key[0], pieces) if key is not None and whole else b""
        if not data or key is None or head is None:
            self.broken_count += 1
            self._lost += 1
            return []
        lost, self._lost = self._lost, 0
        unit = _unit(key, data, head, self._arrived_s, lost)
        return [self._slots.told(unit) if unit.codec == "av1" else unit]


def _data(codec: str, pieces: list[bytes]) -> bytes:
    try:
        return joined(codec, pieces)
    except ValueError:
        return b""


def _unit(key: tuple[str, int], data: bytes, told: Part, arrived_s: float, lost: int) -> Unit:
    return Unit(
        key[0],
        data,
        key[1],
        arrived_s,
        told.keyframe,
        told.layer,
        told.sync,
        told.disposable,
        told.base_index,
        told.picture_id,
        told.id_bits,
        lost,
        told.switch,
        told.distances,
    )
