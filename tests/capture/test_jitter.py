# SPDX-License-Identifier: Apache-2.0
"""The reorder buffer: any order, any loss, on scripted time."""

import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from monitor.capture.jitter import DEADLINE_S, FAR, WIDEST_HOLE, InOrder, JitterBuffer


def numbers(ready: list[InOrder[int]]) -> list[int]:
    """The packets, which stand for their own numbers."""
    return [each.packet for each in ready]


def fed(*sequences: int, start_s: float = 0.0, step_s: float = 0.001) -> tuple[JitterBuffer[int], list[InOrder[int]]]:
    """A buffer that got these packets, and what it gave."""
    buffer: JitterBuffer[int] = JitterBuffer()
    ready: list[InOrder[int]] = []
    for step, sequence in enumerate(sequences):
        ready += buffer.add(sequence % 65_536, sequence, start_s + step * step_s)
    return buffer, ready


def test_order_is_restored_across_the_wrap() -> None:
    """Packets around 65,536 come in order, each once, and nothing counts as lost."""
    buffer, ready = fed(65_533, 65_535, 65_536, 65_534, 65_534, 65_538, 65_537)
    assert numbers(ready) == [65_533, 65_534, 65_535, 65_536, 65_537, 65_538]
    assert {each.lost for each in ready} == {0}
    assert (buffer.late_count, buffer.lost_count, buffer.holed) == (1, 0, False)


def test_hole_is_given_up_at_the_deadline() -> None:
    """What waits behind a lost packet comes at the deadline, with word of the loss; the lost one is late then."""
    buffer, _ = fed(1, 3, 4)
    assert buffer.expire(0.001 + DEADLINE_S - 0.0001) == []
    assert buffer.expire(0.001 + DEADLINE_S) == [InOrder(3, 1), InOrder(4, 0)]
    assert buffer.add(2, 2, 0.2) == []
    assert (buffer.late_count, buffer.lost_count) == (1, 1)


def test_missing_packets_are_asked_for_again() -> None:
    """Each hole is asked for at once and every 40 ms, a hundred at most at a time."""
    buffer, _ = fed(65_534, 65_537)
    assert buffer.wanted(0.001) == [65_535, 0]
    assert buffer.wanted(0.040) == []
    assert buffer.add(65_535, 65_535, 0.041) == [InOrder(65_535, 0)]
    assert buffer.wanted(0.042) == [0]
    wide, _ = fed(*range(1, 302, 2))
    assert len(wide.wanted(0.2)) == WIDEST_HOLE


def test_wide_hole_is_given_up_at_once() -> None:
    """More packets than a sender remembers are not waited for; a smaller hole before them still is."""
    _, ready = fed(1, 2 + WIDEST_HOLE + 1)
    assert ready[-1] == InOrder(2 + WIDEST_HOLE + 1, WIDEST_HOLE + 1)
    buffer, ready = fed(1, 3, 500)
    assert numbers(ready) == [1]
    assert numbers(buffer.expire(0.001 + DEADLINE_S)) == [3, 500]


def test_two_packets_from_afar_are_a_restart() -> None:
    """One stray sequence number is dropped; two in a row are a sender that began anew, forwards or back."""
    for far in (12 + FAR, 65_536 - FAR):
        _, ready = fed(10, far, 11)
        assert numbers(ready) == [10, 11]
        buffer, ready = fed(10, 12, far, far + 1, far + 2)
        assert ready == [InOrder(10, 0), InOrder(far + 1, FAR), InOrder(far + 2, 0)]
        assert not buffer.holed


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(0, 65_535),
    kept=st.lists(st.booleans(), min_size=2, max_size=120),
    late_ms=st.lists(st.integers(0, 100), min_size=8, max_size=8),
    doubled=st.sets(st.integers(0, 120)),
)
def test_what_arrives_in_time_comes_in_order(
    start: int, kept: list[bool], late_ms: list[int], doubled: set[int]
) -> None:
    """Whatever is delayed by less than the deadline comes, once and in order, though packets are lost or doubled."""
    sent = [start + step for step, keep in enumerate([True, *kept]) if keep]
    arrivals = [
        (step * 0.001 + (late_ms[step % 8] * 0.001 if step else 0.0), number) for step, number in enumerate(sent)
    ]
    arrivals += [(at_s + 0.01, number) for step, (at_s, number) in enumerate(arrivals) if step in doubled]
    buffer: JitterBuffer[int] = JitterBuffer(deadline_s=0.5)
    ready: list[int] = []
    for at_s, number in sorted(arrivals):
        ready += numbers(buffer.add(number % 65_536, number, at_s))
    ready += numbers(buffer.expire(10.0))
    assert ready == sent
    assert len(buffer) == 0


class AnyStream(RuleBasedStateMachine):
    """Arbitrary packets and waits; the model remembers when each packet came and which were handed out."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer: JitterBuffer[tuple[int, int]] = JitterBuffer()
        self.now_s = 0.0
        self.head = 0
        self.serial = 0
        self.waiting: dict[tuple[int, int], float] = {}
        self.seen: set[int] = set()

    def take(self, ready: list[InOrder[tuple[int, int]]]) -> None:
        """Check what came out against the packets that went in."""
        for each in ready:
            number, _ = each.packet
            if each.lost != FAR:
                assert self.before is None or 0 < (number - self.before) % 65_536 < 0x8000
                assert self.before is None or (number - self.before) % 65_536 == each.lost + 1
            else:
                self.waiting.clear()
            self.before = number
            self.waiting.pop(each.packet, None)

    before: int | None = None

    @rule(step=st.integers(-30, 60), far=st.sampled_from([0] * 9 + [5000, -5000]))
    def packet(self, step: int, far: int) -> None:
        """A packet somewhere around the newest, or far away."""
        number = (self.head + step + far) % 65_536
        self.head = number if step > 0 else self.head
        self.serial += 1
        packet = (number, self.serial)
        before = len(self.buffer)
        ready = self.buffer.add(number, packet, self.now_s)
        if len(self.buffer) + len(ready) > before:
            self.waiting[packet] = self.now_s
        self.take(ready)

    @rule(seconds=st.floats(0.001, 0.1))
    def wait(self, seconds: float) -> None:
        """Time passes, and the deadlines with it."""
        self.now_s += seconds
        self.take(self.buffer.expire(self.now_s))

    @precondition(lambda self: self.buffer.holed)
    @rule()
    def ask(self) -> None:
        """What is asked for is bounded."""
        assert len(self.buffer.wanted(self.now_s)) <= WIDEST_HOLE

    @invariant()
    def bounded_and_never_late(self) -> None:
        """No packet waits beyond its deadline, and no more wait than a hole can be wide."""
        assert len(self.buffer) <= FAR
        assert all(self.now_s - came_s < DEADLINE_S + 1e-9 for came_s in self.waiting.values())
        assert len(self.buffer) <= len(self.waiting)


TestAnyStream = AnyStream.TestCase
TestAnyStream.settings = settings(max_examples=25, stateful_step_count=50, deadline=None)
