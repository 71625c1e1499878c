# SPDX-License-Identifier: Apache-2.0
"""Parts joined to coded pictures."""

from monitor.capture.part import Part
from monitor.capture.unit import Unit
from monitor.capture.units import MOST_BYTES, Assembler


def unit_of(units: list[Unit]) -> Unit:
    """The only one."""
    assert len(units) == 1
    return units[0]


def whole(assembler: Assembler, stamp: int, data: bytes = b"x", lost: int = 0) -> list[Unit]:
    """A picture of one part."""
    return assembler.add("vp8", stamp, Part(data, first=True), 1.0, marker=True, lost=lost)


def test_marker_ends_a_picture() -> None:
    """A picture is handed out with its last packet, not with the first of the next; its parts are joined in order."""
    assembler = Assembler()
    assert assembler.add("vp8", 5, Part(b"ab", first=True, keyframe=True), 1.0, marker=False, lost=0) == []
    unit = unit_of(assembler.add("vp8", 5, Part(b"cd"), 1.5, marker=True, lost=0))
    assert unit == Unit("vp8", b"abcd", 5, 1.5, keyframe=True)


def test_next_timestamp_ends_a_picture() -> None:
    """A sender that sets no marker is understood all the same."""
    assembler = Assembler()
    assembler.add("h264", 5, Part(b"ab", first=True), 1.0, marker=False, lost=0)
    assert unit_of(assembler.add("h264", 6, Part(b"cd", first=True), 2.0, marker=False, lost=0)).data == b"ab"


def test_picture_with_a_hole_is_left_out() -> None:
    """A loss inside, at the end or at the beginning of a picture breaks it, and the next whole one knows."""
    for first_lost in (0, 1, 2):
        assembler = Assembler()
        whole(assembler, 1)
        parts = [Part(b"a", first=True), Part(b"b"), Part(b"c")]
        kept = [(part, step) for step, part in enumerate(parts) if step != first_lost]
        previous, units = -1, []
        for part, step in kept:
            units += assembler.add("vp8", 2, part, 1.0, marker=step == 2, lost=step - previous - 1)
            previous = step
        units += whole(assembler, 3, lost=2 - previous)
        assert [(unit.stamp, unit.lost > 0) for unit in units] == [(3, True)]
        assert assembler.broken_count == 1


def test_loss_between_pictures_breaks_none() -> None:
    """Where packets of other pictures were lost, one that begins anew is whole; one that may not is left out."""
    assembler = Assembler()
    whole(assembler, 1)
    assert unit_of(whole(assembler, 3, lost=2)).lost == 2
    assembler.padding(lost=1)
    assert assembler.add("h264", 4, Part(b"b"), 1.0, marker=True, lost=0) == []
    assert unit_of(assembler.add("h264", 5, Part(b"c"), 1.0, marker=True, lost=0)).lost == 2


def test_references_of_all_spatial_layers_count() -> None:
    """A picture refers to what any of its parts does; one that names nothing leaves it open."""
    assembler = Assembler()
    assembler.add("vp9", 1, Part(b"a", first=True, distances=(4,)), 1.0, marker=False, lost=0)
    assert unit_of(assembler.add("vp9", 1, Part(b"b", distances=(4, 1)), 1.0, marker=True, lost=0)).distances == (1, 4)
    assert unit_of(whole(assembler, 2)).distances is None


def test_parts_that_do_not_fit_break_the_picture() -> None:
    """AV1 fragments without a beginning make no picture, and the next one knows."""
    assembler = Assembler()
    assert assembler.add("av1", 1, Part(b"\x90\x30x", first=True), 1.0, marker=True, lost=0) == []
    assert unit_of(assembler.add("av1", 2, Part(b"\x10\x30x"), 1.0, marker=True, lost=0)).lost == 1


def test_beginning_in_the_middle() -> None:
    """A stream that is joined in the middle of a picture starts with the next."""
    assembler = Assembler()
    assert assembler.add("h264", 1, Part(b"tail"), 1.0, marker=True, lost=0) == []
    assert unit_of(whole(assembler, 2)).stamp == 2


def test_unreadable_part_breaks_its_picture_alone() -> None:
    """Garbage inside a picture leaves that one out."""
    assembler = Assembler()
    whole(assembler, 1)
    assembler.add("vp8", 2, Part(b"a", first=True), 1.0, marker=False, lost=0)
    assert assembler.add("vp8", 2, None, 1.0, marker=True, lost=0) == []
    assert unit_of(whole(assembler, 3)).lost == 1


def test_thousand_packets_of_one_picture() -> None:
    """A picture of a thousand packets is one unit; one beyond all measure is left out, and not held in memory."""
    assembler = Assembler()
    for step in range(1000):
        units = assembler.add("vp8", 1, Part(bytes(1200), first=not step), 1.0, marker=step == 999, lost=0)
    assert len(unit_of(units).data) == 1_200_000
    for step in range(9):
        units = assembler.add("vp8", 2, Part(bytes(MOST_BYTES // 8), first=not step), 1.0, marker=step == 8, lost=0)
        assert sum(len(piece) for piece in assembler._pieces) <= MOST_BYTES
    assert units == []
    assert unit_of(whole(assembler, 3)).stamp == 3
