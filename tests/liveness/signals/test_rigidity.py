# SPDX-License-Identifier: Apache-2.0
"""How a head trembles is measured, and accuses nobody."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.liveness.signals.rigidity import LEAST_LOOKS, MEASURED, STILL, UNSEEN, YOUNG, TrembleOfHead
from monitor.values import Evidence, FaceCrop, Landmarks
from tests.fakes.heads import rotation, seen
from tests.fakes.timeline import crop

PER_S = 5.0


def looks(shots: Iterable[FaceCrop]) -> list[Evidence]:
    """What a new cue says of each crop."""
    cue = TrembleOfHead()
    return [cue.look(shot) for shot in shots]


def turning(noise: float, seconds: float = 20.0, per_s: float = PER_S) -> list[FaceCrop]:
    """A head that turns to and fro within six seconds, trembling by so many radians."""
    source = np.random.default_rng(4)
    times = np.arange(int(seconds * per_s)) / per_s
    return [seen(float(at), pose=rotation(0.2 * math.sin(at) + source.normal(0, noise))) for at in times]


def test_trembling_heads_measure_higher() -> None:
    """White movement changes its speed by more than its speed; a smooth turn by far less."""
    smooth, shaky = (looks(turning(noise))[-1].measure for noise in (0.0005, 0.1))
    assert smooth < -1.0 < 0.3 < shaky


def test_nothing_is_said_against_anybody() -> None:
    """The direction of the measure turns round between generators."""
    words = looks(turning(0.1))
    assert {(word.llr_nats, word.reliability) for word in words} == {(0.0, 0.0)}
    assert words[-1].sentence == MEASURED


def test_a_still_head_and_a_short_view_have_no_measure() -> None:
    """Each with its reason."""
    assert looks(seen(n / PER_S) for n in range(40))[-1].sentence == STILL
    assert {word.sentence for word in looks(turning(0.1)[:LEAST_LOOKS])} == {YOUNG}


def test_two_looks_a_second_are_too_few() -> None:
    """Speeds over unlike times are not compared; ten and more are thinned."""
    assert looks(turning(0.1, per_s=2.0))[-1].sentence == YOUNG
    assert looks(turning(0.1, per_s=10.0))[-1].measure == pytest.approx(looks(turning(0.1))[-1].measure, abs=0.2)


def test_a_missing_pose_and_one_that_is_no_number_are_borne() -> None:
    """They are said, or passed over."""
    bare = seen(0.2)
    assert bare.landmarks is not None
    without = replace(bare, landmarks=Landmarks(bare.landmarks.points))
    assert [word.sentence for word in looks([crop(0.0), without])] == [UNSEEN, UNSEEN]
    shots = turning(0.1)
    broken = [seen(shots[30].media_s, pose=np.full((3, 3), np.nan)) if n == 30 else s for n, s in enumerate(shots)]
    assert math.isfinite(looks(broken)[-1].measure or math.nan)


def test_a_gap_begins_anew() -> None:
    """A jump of the head between two looks far apart is no tremble."""
    shots = turning(0.001)
    late = [replace(shot, media_s=shot.media_s + 60) for shot in shots]
    assert looks([*shots, *late])[len(shots)].sentence == YOUNG


@given(st.lists(st.tuples(st.floats(-0.3, 0.6), st.floats(-1, 1)), max_size=100))
def test_any_order_of_looks_gives_numbers(script: list[tuple[float, float]]) -> None:
    """Gaps and returns in time in any order."""
    cue, at = TrembleOfHead(), 0.0
    for step_s, yaw in script:
        at += step_s
        word = cue.look(seen(at, pose=rotation(yaw)))
        assert word.measure is None or math.isfinite(word.measure)
