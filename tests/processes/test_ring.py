# SPDX-License-Identifier: Apache-2.0
"""The ring: a run comes out as it was put in or not at all, whatever the writer does meanwhile."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from monitor.processes.ring import Ring

SLOTS, ROOM = 3, 24
RUNS = st.lists(st.binary(max_size=8), max_size=4)


def pair() -> tuple[Ring, Ring]:
    """Writer and reader of one memory."""
    memory = bytearray(Ring.size_bytes(SLOTS, ROOM))
    return Ring(memory, SLOTS, ROOM), Ring(memory, SLOTS, ROOM)


class Dying:
    """Parts of which the second is never written: the writer is killed between them."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts
        self.rounds = 0

    def __iter__(self):
        self.rounds += 1
        yield self.parts[0]
        if self.rounds > 1:
            raise SystemExit
        yield from self.parts[1:]


class Wrapped(RuleBasedStateMachine):
    """A writer that goes round, is killed in the middle, or hands in too much; a reader that asks for anything."""

    def __init__(self) -> None:
        super().__init__()
        self.writer, self.reader = pair()
        self.written: dict[int, bytes] = {}

    @rule(parts=RUNS)
    def put(self, parts: list[bytes]) -> None:
        """A run gets the next number, unless it fits no slot."""
        before = self.writer.sequence
        number = self.writer.put(parts)
        if len(b"".join(parts)) > ROOM:
            assert number is None
            assert self.writer.sequence == before
        else:
            assert number == before + 1
            self.written[number] = b"".join(parts)

    @rule(first=st.binary(max_size=8), second=st.binary(max_size=8))
    def die(self, first: bytes, second: bytes) -> None:
        """Half a run is left in a slot."""
        with pytest.raises(SystemExit):
            self.writer.put(Dying(first, second))

    @rule(number=st.integers(-5, 50))
    def take(self, number: int) -> None:
        """Only the last round can be there, and only what was finished."""
        found = self.reader.take(number)
        kept = number in self.written and number > self.writer.sequence - SLOTS
        assert found == (self.written[number] if kept else None)

    @rule(ahead=st.integers(0, 2 * SLOTS))
    def slow_reader(self, ahead: int) -> None:
        """A run that is overwritten while it is copied is found out; one that is not, is whole."""
        number = self.writer.put([b"begun"])
        shown = self.reader.peek(number)
        copied = bytes(shown[:2])
        for _ in range(ahead):
            self.writer.put([b"newer"])
        copied += bytes(shown[2:])
        assert self.reader.holds(number) == (ahead < SLOTS)
        if ahead < SLOTS:
            assert copied == b"begun"
        self.written |= {number: b"begun"} | {number + each: b"newer" for each in range(1, ahead + 1)}

    @invariant()
    def newest_is_there(self) -> None:
        """What was put in last comes out."""
        last = self.writer.sequence
        if last in self.written:
            assert self.reader.take(last) == self.written[last]


TestWrapped = Wrapped.TestCase


def test_while_a_run_is_written_nothing_of_it_is_seen() -> None:
    """Neither the old content of the slot nor half of the new one."""
    writer, reader = pair()
    for _ in range(SLOTS):
        writer.put([b"old"])
    seen = []

    class Watched(Dying):
        def __iter__(self):
            yield b"new"
            seen.append((reader.take(1), reader.take(SLOTS + 1)))
            yield b"er"

    assert writer.put(Watched()) == SLOTS + 1
    assert seen[-1] == (None, None)
    assert reader.take(SLOTS + 1) == b"newer"


@given(st.binary(min_size=8, max_size=8))
def test_a_length_out_of_bounds_reads_nothing_beyond_the_slot(length: bytes) -> None:
    """A damaged header costs its own run."""
    memory = bytearray(Ring.size_bytes(SLOTS, ROOM))
    ring = Ring(memory, SLOTS, ROOM)
    number = ring.put([b"run"])
    start = number * (len(memory) // SLOTS)
    memory[start + 8 : start + 16] = length
    assert len(ring.take(number)) <= ROOM


def test_two_mappings_of_one_memory_are_one_ring() -> None:
    """As two processes have it; memory that is too small is refused."""
    file = os.memfd_create("ring")
    try:
        with pytest.raises(ValueError, match="smaller"):
            Ring.mapped(file, SLOTS, ROOM)
        os.ftruncate(file, Ring.size_bytes(SLOTS, ROOM))
        writer, reader = Ring.mapped(file, SLOTS, ROOM), Ring.mapped(file, SLOTS, ROOM)
    finally:
        os.close(file)
    assert reader.take(writer.put([b"one", b"run"])) == b"onerun"
