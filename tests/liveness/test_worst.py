# SPDX-License-Identifier: Apache-2.0
"""The few looks that explain an alert."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import LivenessSettings
from monitor.liveness.engine import Engine
from monitor.liveness.worst import KEPT_S, MOST, Worst
from tests.fakes.detector import FakeDetector
from tests.fakes.looks import worst_look
from tests.fakes.timeline import crop

LOOKS = st.lists(st.tuples(st.floats(0, 200), st.floats(-30, 30)), max_size=60)


def test_the_loudest_look_of_each_second_stands_for_it() -> None:
    """Neighbours show the same picture, so of one second only one look is told."""
    worst: Worst[str] = Worst()
    for media_s, logit in ((1.0, 1.0), (1.2, 4.0), (1.4, 3.0), (2.0, 2.0), (5.0, -1.0)):
        worst.see("face", worst_look(media_s, logit))
    assert [look.media_s for look in worst.of("face")] == [1.2, 2.0, 5.0]


def test_looks_grow_old() -> None:
    """What was seen more than half a minute ago is forgotten with the next look, also when time jumps back."""
    worst: Worst[str] = Worst()
    worst.see("face", worst_look(50.0, 9.0))
    worst.see("face", worst_look(50.0 + KEPT_S + 1.0, 1.0))
    assert [look.logit for look in worst.of("face")] == [1.0]
    worst.see("face", worst_look(0.0, 0.5))
    assert [look.logit for look in worst.of("face")] == [0.5]


def test_a_logit_that_is_no_number_is_not_remembered() -> None:
    """It cannot be ranked."""
    worst: Worst[str] = Worst()
    worst.see("face", worst_look(1.0, math.nan))
    assert worst.of("face") == ()


def test_faces_are_forgotten_by_name() -> None:
    """And a face that was never seen has no looks."""
    worst: Worst[str] = Worst()
    worst.see("a", worst_look())
    worst.see("b", worst_look())
    worst.forget(lambda key: key == "a")
    assert (len(worst), worst.of("a"), len(worst.of("b"))) == (1, (), 1)


@given(looks=LOOKS)
def test_what_is_remembered_is_bounded_and_ordered(looks: list[tuple[float, float]]) -> None:
    """At most a few looks, the loudest first, of different seconds, none old; the newest if it is the loudest."""
    worst: Worst[str] = Worst()
    for media_s, logit in looks:
        worst.see("face", worst_look(media_s, logit))
        held = worst.of("face")
        assert 0 < len(held) <= MOST
        assert [look.logit for look in held] == sorted((look.logit for look in held), reverse=True)
        assert len({int(look.media_s) for look in held}) == len(held)
        assert all(abs(look.media_s - media_s) <= KEPT_S for look in held)
        assert held[0].logit >= logit


def engine(*, pictures: bool = False, max_tracks: int = 8) -> Engine:
    """An engine round a fake detector."""
    settings = LivenessSettings(batch_deadline_ms=0.0, max_tracks=max_tracks)
    return Engine(settings, lambda _name, _device: FakeDetector(), pictures=pictures)


async def test_the_worst_looks_of_a_face_are_remembered_while_it_is_there():
    """The loudest first, each with the map of its own crop; without pictures no pixel is kept."""
    async with engine() as at_work, engine(pictures=True) as opted_in:
        for index, level in enumerate((10, 250, 20, 120)):
            shots = [crop(float(index), 1, level=level), crop(float(index), 2, level=255 - level)]
            await at_work.judge(shots)
            await opted_in.judge(shots[:1])
        worst = at_work.worst("c", "p", 1)
        assert [look.media_s for look in worst] == [1.0, 3.0, 2.0]
        assert worst[0].boundary.dtype == np.uint8
        assert worst[0].boundary[0, 0] == round(255 * worst[0].score)
        assert all(look.rgb is None for look in worst)
        assert [look.rgb.mean() for look in opted_in.worst("c", "p", 1)] == [250, 120, 20]
        at_work.forget("c", "p", 1)
        opted_in.forget_participant("c", "p")
        assert at_work.worst("c", "p", 1) == opted_in.worst("c", "p", 1) == ()
        assert at_work.worst("c", "p", 2)


async def test_a_face_that_lost_its_slot_is_forgotten():
    """However many faces come by, looks are remembered of those with state alone."""
    async with engine(max_tracks=2) as at_work:
        for track in range(20):
            await at_work.judge([crop(track / 5, track)])
        assert [bool(at_work.worst("c", "p", track)) for track in range(20)] == [False] * 18 + [True] * 2
