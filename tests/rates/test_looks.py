# SPDX-License-Identifier: Apache-2.0
"""Films judged by one state and by two that take turns, and the table of ways."""

from dataclasses import replace

from monitor.config import LivenessSettings
from monitor.liveness.engine import Engine
from monitor.rates.looks import judged, table
from monitor.rates.rest import Outcome
from monitor.rates.ways import WAYS
from monitor.values import FaceBox, FaceLook, Reason
from tests.fakes.detector import FakeDetector
from tests.fakes.timeline import crop, quality


async def test_two_states_take_turns_and_one_sees_every_look() -> None:
    """Bright looks between dark ones: the states of the two have seen one of both, and none is left when it ends."""
    seen = [FaceLook(step / 10, (crop(step / 10, level=255 * (step % 2)),)) for step in range(8)]
    async with Engine(LivenessSettings(cues=(), batch_deadline_ms=0.0), lambda *_: FakeDetector()) as engine:
        film = await judged(engine, "film", seen)
        assert engine.counts.tracks == 0
    turns = [each.other.llr_nats for each in film if each.other is not None]
    joined = [each.every.llr_nats for each in film if each.every is not None]
    assert len(turns) == len(joined) == 8
    assert all(nats < 0.0 for nats in turns[::2])
    assert all(nats > 0.0 for nats in turns[1::2])
    assert max(turns) > max(joined)
    assert {each.look.crops[0].rgb.shape for each in film} == {(1, 1, 3)}


async def test_only_a_face_that_can_be_judged_is() -> None:
    """Of a look without one there is no word."""
    blurred = crop(0.1, seen=quality(Reason.BLURRED))
    small = replace(crop(0.2, track=2), box=FaceBox(0.0, 0.0, 50.0, 50.0))
    looks = [FaceLook(0.0), FaceLook(0.1, (blurred,)), FaceLook(0.2, (small, crop(0.2, track=3)))]
    async with Engine(LivenessSettings(cues=(), batch_deadline_ms=0.0), lambda *_: FakeDetector()) as engine:
        film = await judged(engine, "film", looks)
    assert [each.other is None for each in film] == [True, True, False]
    assert [[face.track for face in each.look.crops] for each in film] == [[], [], [3]]


def test_the_table_tells_cost_and_delay_together() -> None:
    """Shares are of the first way's looks; only what both alerted is later or earlier."""
    every = [Outcome(450, 450, 150, 150, 0, 10.0), Outcome(450, 450, 150, 150, 0, 12.0)]
    close = [Outcome(900, 675, 300, 75, 1, 9.0), Outcome(900, 675, 300, 75, 0, None)]
    told = table({WAYS[0]: every, WAYS[1]: close})
    assert f"| {WAYS[0].title} | 100% | 100% | 0 | 2 of 2 | 11.0 s | +0.0 s (+0.0 to +0.0) |" in told
    assert f"| {WAYS[1].title} | 200% | 150% | 1 | 1 of 2 | 9.0 s | -1.0 s (-1.0 to -1.0) |" in told
    nothing = [Outcome(450, 450, 150, 150, 0, None)]
    assert table({WAYS[0]: nothing}).endswith("| 0 | 0 of 1 | – | – |")
