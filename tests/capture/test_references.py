# SPDX-License-Identifier: Apache-2.0
"""Which pictures a decoder can take: told by counts, checked against a decoder that lost nothing."""

import random

import av
import numpy as np
import pytest

from monitor.capture.part import Part
from monitor.capture.payload_vp8 import vp8_part
from monitor.capture.payload_vp9 import vp9_part
from monitor.capture.references import COUNTABLE, References
from monitor.capture.unit import Unit
from tests.fakes.rtp import LAYER_IDS, vp8_pictures, vp8_rtp
from tests.fakes.rtp_vp9 import REFERENCES, SWITCH, vp9_pictures, vp9_rtp

PICTURES = 60


def unit(step: int, lost: int = 0, *, layered: bool = True, keyframe: bool = False) -> Unit:
    """The picture of this number in an L1T3 stream, or in one whose pictures are counted only."""
    layer = LAYER_IDS[step % 4] if layered else None
    base = step // 4 % 256 if layered else None
    return Unit("vp8", b"", step, 0.0, keyframe, layer, layered and step % 4 in {1, 2}, False, base, step, 15, lost)


def admitted(*units: Unit) -> list[int]:
    """Numbers of those admitted, after a keyframe."""
    references = References()
    assert references.keyframe_needed
    assert references.admits(unit(0, keyframe=True))
    return [each.stamp for each in units if references.admits(each)]


def test_nothing_before_a_keyframe() -> None:
    """A stream joined in the middle shows nothing, and says why, until its keyframe."""
    references = References()
    assert not references.admits(unit(1))
    assert references.keyframe_needed
    assert references.admits(unit(2, keyframe=True))
    assert not references.keyframe_needed


def test_lost_base_picture_needs_a_keyframe() -> None:
    """After a gap in the base layer no layer is decoded any more."""
    assert admitted(unit(1), unit(2), unit(3), unit(5, lost=1), unit(8), unit(9), unit(12)) == [1, 2, 3]
    assert admitted(unit(8, lost=9)) == []


def test_lost_upper_picture_needs_none() -> None:
    """Without an upper layer the base goes on; that layer comes back with a picture that needs the base alone."""
    assert admitted(unit(1), unit(3, lost=1), unit(4), unit(5), unit(6), unit(7)) == [1, 4, 5, 6, 7]
    assert admitted(unit(2, lost=1), unit(3), unit(4)) == [2, 4]


def test_lost_padding_is_no_loss() -> None:
    """Consecutive picture ids show that no picture was lost, with layers and without."""
    assert admitted(unit(1, lost=3), unit(2), unit(3)) == [1, 2, 3]
    assert admitted(unit(1, lost=3, layered=False), unit(2, layered=False)) == [1, 2]
    assert admitted(unit(1, layered=False), unit(3, lost=1, layered=False)) == [1]


def test_counts_that_may_have_come_round_prove_nothing() -> None:
    """After a long outage equal counts are not believed."""
    assert admitted(unit(1, lost=COUNTABLE + 1)) == []


def test_left_out_layer_stays_out() -> None:
    """A picture that was not decoded takes those with it that may refer to it, and no others."""
    references = References()
    references.admits(unit(0, keyframe=True))
    assert references.admits(unit(1))
    references.leave_out(unit(1))
    assert [references.admits(unit(step)) for step in (2, 3, 4, 5, 6, 7)] == [True, False, True, True, True, True]


def test_other_codec_begins_anew() -> None:
    """A codec switch in mid-stream waits for the new codec's keyframe."""
    references = References()
    references.admits(unit(0, keyframe=True))
    other = Unit("h264", b"", 1, 0.0)
    assert not references.admits(other)


def vp9(step: int, lost: int = 0, *, named: bool = False, keyframe: bool = False) -> Unit:
    """The picture of this number in VP9's L1T3, in flexible mode where references are named."""
    place = step % 4
    base = None if named else step // 4 % 256
    distances = (() if keyframe else REFERENCES[place]) if named else None
    layer, switch = LAYER_IDS[place], SWITCH[place]
    return Unit(
        "vp9", b"", step, 0.0, keyframe, layer, False, False, base, step % 128, 7, lost, switch, distances=distances
    )


def test_switching_point_opens_the_layers_above() -> None:
    """After a loss above the base, layers come back with a picture that later ones do not look behind."""
    references = References()
    references.admits(vp9(0, keyframe=True))
    assert references.admits(vp9(1))
    assert not references.admits(vp9(3, lost=1))
    assert [references.admits(vp9(step)) for step in (4, 5, 6, 7)] == [True] * 4
    references.leave_out(vp9(7))
    references.leave_out(vp9(6))
    assert not references.admits(vp9(11, lost=3))
    assert references.keyframe_needed


def test_named_references_decide() -> None:
    """Of pictures that name their references, those are admitted whose references were decoded, across the wrap."""
    references = References()
    references.admits(vp9(120, named=True, keyframe=True))
    for step in range(121, 140):
        assert references.admits(vp9(step, named=True))
    references.leave_out(vp9(139, named=True))
    assert [references.admits(vp9(step, named=True)) for step in (140, 141, 142)] == [True] * 3
    references.leave_out(vp9(142, named=True))
    assert not references.admits(vp9(143, named=True))
    assert references.admits(vp9(144, named=True))
    assert references.admits(vp9(146, lost=1, named=True))
    assert not references.keyframe_needed


def test_missing_named_base_needs_a_keyframe() -> None:
    """A base picture whose reference was lost stops everything, and so does an outage in which ids may come round."""
    references = References()
    references.admits(vp9(0, named=True, keyframe=True))
    assert not references.admits(vp9(8, lost=7, named=True))
    assert references.keyframe_needed
    assert not references.admits(vp9(12, named=True))
    assert references.admits(vp9(16, named=True, keyframe=True))
    assert not references.admits(vp9(16 + 128, lost=COUNTABLE + 1, named=True))
    assert references.keyframe_needed


@pytest.mark.parametrize("flexible", [False, True])
def test_admitted_vp9_looks_as_it_was_sent(flexible) -> None:
    """Whatever is lost or left out of a real L1T3 stream of VP9: what is admitted decodes bit-equal."""
    coded = vp9_pictures(PICTURES, layered=True, keyframes=(0, 40))
    heads = [vp9_part(packets[0].payload) for packets in vp9_rtp(coded, layered=True, flexible=flexible)]
    truth = _decoded(coded, range(PICTURES), "vp9")
    chance, admitted = random.Random(6), 0
    for _ in range(10):
        references, shown, lost = References(), [], 0
        for step, head in enumerate(heads):
            if chance.random() < 0.08:
                lost += 1
                continue
            each = _told(head, coded[step], step, lost)
            lost = 0
            if not references.admits(each):
                continue
            if head.layer and chance.random() < 0.1:
                references.leave_out(each)
            else:
                shown.append(step)
        pictures = _decoded(coded, shown, "libvpx-vp9")
        assert all(np.array_equal(pictures[step], truth[step]) for step in shown)
        admitted += len(shown)
    assert admitted > 200


def _told(head: Part, data: bytes, step: int, lost: int) -> Unit:
    return Unit(
        "vp9",
        data,
        step,
        0.0,
        head.keyframe,
        head.layer,
        base_index=head.base_index,
        lost=lost,
        picture_id=head.picture_id,
        switch=head.switch,
        distances=head.distances,
    )


def test_admitted_pictures_look_as_they_were_sent() -> None:
    """Whatever is lost of a real L1T3 stream: each picture admitted decodes to what a lossless receiver shows."""
    coded = vp8_pictures(PICTURES, layered=True, keyframes=(0, 40))
    heads = [vp8_part(packets[0].payload) for packets in vp8_rtp(coded, layered=True)]
    truth = _decoded(coded, range(PICTURES))
    chance = random.Random(5)
    for _ in range(12):
        kept = [step for step in range(PICTURES) if chance.random() > 0.15]
        references, shown, previous = References(), [], -1
        for step in kept:
            head = heads[step]
            each = Unit("vp8", coded[step], step, 0.0, head.keyframe, head.layer, head.sync, False, head.base_index)
            if references.admits(_after(each, step - previous - 1)):
                shown.append(step)
            previous = step
        pictures = _decoded(coded, shown)
        assert all(np.array_equal(pictures[step], truth[step]) for step in shown)
        assert 40 not in kept or 40 in shown


def _after(each: Unit, lost: int) -> Unit:
    return Unit(
        each.codec, each.data, each.stamp, 0.0, each.keyframe, each.layer, each.sync, False, each.base_index, lost=lost
    )


def _decoded(coded: list[bytes], steps, name: str = "libvpx") -> dict[int, np.ndarray]:
    decoder = av.CodecContext.create(name, "r")
    decoder.thread_count = 1
    return {step: decoder.decode(av.Packet(coded[step]))[0].to_ndarray() for step in steps}
