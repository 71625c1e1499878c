# SPDX-License-Identifier: Apache-2.0
"""What AV1 pictures themselves tell of their references: written by hand, coded by SVT-AV1, and cut off."""

import random
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from monitor.capture.av1_frame import EVERY_SLOT, Slots, read_slots
from monitor.capture.av1_sequence import Sequence, read_sequence
from monitor.capture.av1_slots import SlotReader
from monitor.capture.references import References
from monitor.capture.unit import Unit
from tests.fakes.rtp import LAYER_IDS, decoded
from tests.fakes.rtp_av1 import av1_pictures, leb128

PICTURES = av1_pictures(48, keyframes=(0, 32))
PLAIN = Sequence(0, 0, 0, 2, 2)
KEY, INTER, INTRA, SWITCH = 0, 1, 2, 3


class Writer:
    """Bits from the highest of the first byte on."""

    def __init__(self) -> None:
        self._bits = ""

    def put(self, value: int, count: int = 1) -> "Writer":
        """Append a number of so many bits."""
        self._bits += f"{value:0{int(count)}b}" if count else ""
        return self

    def data(self) -> bytes:
        """All, filled up with ones."""
        return int(self._bits + "1" * (-len(self._bits) % 8), 2).to_bytes(-(-len(self._bits) // 8), "big")


def frame(sequence: Sequence, kind: int, writes: int, reads: list[int], *, shown: int, resilient: int) -> bytes:
    """A frame header up to its references (AV1 bitstream, section 5.9.2)."""
    begins, intra = kind == SWITCH or (kind == KEY and bool(shown)), kind in {KEY, INTRA}
    hinted = (resilient or begins) and not (intra and begins)
    out = Writer().put(0).put(kind, 2).put(shown).put(1, not shown).put(resilient, not begins).put(0)
    out.put(1, sequence.screen_content == 2).put(0, sequence.screen_content > 0 and sequence.integer_motion == 2)
    out.put(5, sequence.id_bits).put(0, kind != SWITCH).put(1, sequence.order_bits)
    out.put(7, 3 * (kind == INTER and not resilient)).put(writes, 8 * (not begins))
    out.put(0, 8 * sequence.order_bits * hinted).put(0, sequence.order_bits > 0 and not intra)
    for slot in [] if intra else reads:
        out.put(slot, 3).put(1, sequence.difference_bits)
    return out.data()


SEQUENCES = st.builds(
    Sequence, st.sampled_from([0, 15]), st.just(14), st.integers(0, 8), st.integers(1, 2), st.just(2)
).map(lambda each: each if each.id_bits else replace(each, difference_bits=0))


@settings(max_examples=200, deadline=None)
@given(
    sequence=SEQUENCES,
    kind=st.sampled_from([KEY, INTER, INTRA, SWITCH]),
    writes=st.integers(0, 254),
    reads=st.lists(st.integers(0, 7), min_size=7, max_size=7),
    shown=st.integers(0, 1),
    resilient=st.integers(0, 1),
)
def test_frame_headers_are_read_as_written(sequence, kind, writes, reads, shown, resilient) -> None:
    """Every kind of frame, with and without ids, order hints and tools, gives its slots; cut off it is refused."""
    begins = kind == SWITCH or (kind == KEY and bool(shown))
    data = frame(sequence, kind, writes, reads, shown=shown, resilient=resilient)
    told = read_slots(data, sequence)
    assert told.writes == (EVERY_SLOT if begins else writes)
    assert told.reads == (0 if kind in {KEY, INTRA} else sum(1 << slot for slot in set(reads)))
    with pytest.raises(ValueError, match="early"):
        read_slots(data[: len(data) // 2 - 1], sequence)


def test_picture_that_is_shown_again_and_references_in_short() -> None:
    """A repeated picture reads its slot alone; references told in short may be any."""
    assert read_slots(bytes([0x80 | 5 << 4]), PLAIN) == Slots(1 << 5, 0)
    ordered = replace(PLAIN, order_bits=1)
    short = Writer().put(0).put(INTER, 2).put(1).put(0).put(0).put(0).put(0).put(0).put(7, 3).put(2, 8).put(1)
    assert read_slots(short.data() + bytes(2), ordered) == Slots(EVERY_SLOT, 2)


@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("order_bits", [0, 7])
def test_sequence_headers(ids, order_bits: int) -> None:
    """Operating points, sizes and tools are skipped to what frame headers need."""
    out = Writer().put(0, 3).put(0).put(0).put(0).put(1).put(1, 5)
    out.put(0x103, 12).put(8, 5).put(0).put(1).put(9, 4).put(0x101, 12).put(5, 5).put(0)
    out.put(9, 4).put(8, 4).put(639, 10).put(479, 9).put(int(ids))
    if ids:
        out.put(12, 4).put(0, 3)
    out.put(0, 3).put(0, 4).put(int(order_bits > 0)).put(0, 2 if order_bits else 0)
    out.put(0).put(1).put(0).put(1)
    if order_bits:
        out.put(order_bits - 1, 3)
    assert read_sequence(out.data()) == Sequence(15 if ids else 0, 14 if ids else 0, order_bits, 1, 1)


@pytest.mark.parametrize("flags", [0b10, 0b11, 0b100], ids=["still", "reduced still", "timed"])
def test_what_calls_do_not_send_is_not_understood(flags: int) -> None:
    """Still pictures and decoder models are left to the decoder: their pictures say nothing."""
    head = {0b10: 0b10, 0b11: 0b11, 0b100: 0b00}[flags]
    timed = int(flags == 0b100)
    body = Writer().put(0, 3).put(head >> 1).put(head & 1).put(timed).put(0, 18).data()
    unit = Unit("av1", b"\x0a" + leb128(len(body)) + body + PICTURES[1][2:], 0, 0.0, keyframe=True)
    assert SlotReader().told(unit) == unit


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=80), sequenced=st.booleans())
def test_any_bytes_are_told_of(body: bytes, sequenced) -> None:
    """Random units raise nothing; what cannot be read touches everything."""
    reader = SlotReader()
    if sequenced:
        reader.told(Unit("av1", PICTURES[0], 0, 0.0))
    told = reader.told(Unit("av1", body, 0, 0.0))
    assert told.data == body


def test_frames_of_one_picture_count_together() -> None:
    """An upper spatial layer that uses what the lower one wrote needs it of nobody else; the first names the layer."""
    sequence = Writer().put(0, 6).put(0, 1).put(0, 5).put(0, 17).put(0, 8).put(0, 2).put(0, 9).put(1).put(1).data()
    lower = frame(PLAIN, INTER, 0b10, [0] * 7, shown=1, resilient=0)
    upper = frame(PLAIN, INTER, 0b1000, [1, 2, 1, 1, 1, 1, 2], shown=1, resilient=0)
    data = b"\x0a" + leb128(len(sequence)) + sequence
    for spatial, body in enumerate((lower, upper)):
        data += bytes([0x36, 2 << 5 | spatial << 3]) + leb128(len(body)) + body
    told = SlotReader().told(Unit("av1", data, 0, 0.0))
    assert (told.slots, told.layer, told.disposable) == (Slots(0b101, 0b1010), 2, False)


def units() -> list[Unit]:
    """A stream of SVT-AV1, which codes low delay as L1T3 without naming the layers."""
    reader = SlotReader()
    return [reader.told(Unit("av1", data, step, 0.0, step in {0, 32})) for step, data in enumerate(PICTURES)]


def test_pictures_nobody_refers_to_are_told() -> None:
    """Every second picture of the stream is disposable, and keyframes replace everything."""
    told = units()
    assert [each.disposable for each in told] == [step % 2 == 1 for step in range(len(told))]
    assert [step for step, each in enumerate(told) if each.slots == Slots(0, EVERY_SLOT)] == [0, 32]


def test_admitted_pictures_look_as_they_were_sent() -> None:
    """Whatever is left out or lost of it: each picture admitted decodes to what a lossless receiver shows."""
    truth, chance = decoded("libdav1d", PICTURES), random.Random(4)
    refused = 0
    for loss in (0.0, 0.0, 0.05):
        references, shown, lost = References(), [], 0
        for step, each in enumerate(units()):
            if chance.random() < loss:
                lost += 1
                continue
            unit, lost = each._replace(layer=LAYER_IDS[step % 4], lost=lost), 0
            if not references.admits(unit):
                refused += 1
            elif unit.layer and chance.random() < 0.3:
                references.leave_out(unit)
            else:
                shown.append(step)
        pictures = decoded("libdav1d", [PICTURES[step] for step in shown])
        assert all(np.array_equal(seen, truth[step]) for seen, step in zip(pictures, shown, strict=True))
        assert len(shown) > 20 or loss
        assert {0, 4, 8, 12}.issubset(shown) or loss
    assert refused


def test_layer_that_was_left_out_comes_back_by_itself() -> None:
    """A picture that does not use what was left out is admitted, with no keyframe in between."""
    references = References()
    told = [each._replace(layer=LAYER_IDS[step % 4]) for step, each in enumerate(units())]
    for step, each in enumerate(told[:8]):
        assert references.admits(each) == (step != 3)
        if step == 2:
            references.leave_out(each)
    assert not references.keyframe_needed
