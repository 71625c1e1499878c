# SPDX-License-Identifier: Apache-2.0
"""Runs of bytes into numbered slots of shared memory; each out again as it was put in, or not at all."""

import mmap
import os
import struct
from collections.abc import Sequence
from typing import Final, Self

__all__ = ["Ring"]

NUMBER: Final = struct.Struct("<Q")
HEADER_BYTES: Final = 64
"""The sequence number, then the length, alone on a cache line of their own."""

WRITING: Final = 0
"""Number of a slot that is being written; sequence numbers begin at 1."""

Bytes = bytes | bytearray | memoryview


class Ring:
    """`slots` slots of `slot_bytes` each, written round by one process and read by another.

    The newest wins: a writer never waits, and takes the slot of the oldest run whether or not it was read. The slot's
    sequence number is looked at before and after the reader's copy, so a run that was overwritten meanwhile, or that
    its writer never finished, is found out. This relies on stores being seen in their order, as on x86-64; elsewhere
    the doorbell between the two processes orders all but an overwriting that coincides with the copy.
    """

    def __init__(self, memory: mmap.mmap | bytearray, slots: int, slot_bytes: int) -> None:
        self._memory = memoryview(memory)
        self._stride = slot_bytes + HEADER_BYTES
        self.slots = slots
        self.slot_bytes = slot_bytes
        self.sequence = 0
        """Number of the run written last."""

    @classmethod
    def mapped(cls, file: int, slots: int, slot_bytes: int) -> Self:
        """Map the memory behind a file descriptor. Raises ValueError when it is too small for the slots."""
        wanted = cls.size_bytes(slots, slot_bytes)
        if os.fstat(file).st_size < wanted:
            raise ValueError(f"the shared memory is smaller than {slots} slots of {slot_bytes} bytes")
        return cls(mmap.mmap(file, wanted), slots, slot_bytes)

    @staticmethod
    def size_bytes(slots: int, slot_bytes: int) -> int:
        """Memory that a ring takes."""
        return slots * (slot_bytes + HEADER_BYTES)

    def put(self, parts: Sequence[Bytes]) -> int | None:
        """Write the parts one behind the other; gives the run's sequence number, None when it fits no slot."""
        length = sum(len(part) for part in parts)
        if length > self.slot_bytes:
            return None
        self.sequence += 1
        header = self._header(self.sequence)
        NUMBER.pack_into(self._memory, header, WRITING)
        NUMBER.pack_into(self._memory, header + NUMBER.size, length)
        self._copy(parts, header + HEADER_BYTES)
        NUMBER.pack_into(self._memory, header, self.sequence)
        return self.sequence

    def take(self, sequence: int) -> bytearray | None:
        """A copy of the run with this number; None when it was overwritten or never finished."""
        shown = self.peek(sequence)
        if shown is None:
            return None
        copy = bytearray(shown)
        return copy if self.holds(sequence) else None

    def peek(self, sequence: int) -> memoryview | None:
        """The run where it lies, which a writer may overwrite at any time; None when it is not there."""
        header = self._header(sequence)
        if not self.holds(sequence):
            return None
        length = NUMBER.unpack_from(self._memory, header + NUMBER.size)[0]
        start = header + HEADER_BYTES
        return self._memory[start : start + min(length, self.slot_bytes)]

    def holds(self, sequence: int) -> bool:
        """Whether the run's slot still holds it, whole."""
        return bool(NUMBER.unpack_from(self._memory, self._header(sequence))[0] == sequence > WRITING)

    def _header(self, sequence: int) -> int:
        return sequence % self.slots * self._stride

    def _copy(self, parts: Sequence[Bytes], start: int) -> None:
        for part in parts:
            self._memory[start : start + len(part)] = part
            start += len(part)
