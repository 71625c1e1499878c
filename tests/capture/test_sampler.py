# SPDX-License-Identifier: Apache-2.0
"""Which frames are looked at."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.sampler import Sampler


def picked(sampler: Sampler, times: list[float]) -> list[float]:
    """The times that are picked."""
    return [time for time in times if sampler.pick(time)]


@pytest.mark.parametrize("fps", [12, 15, 24, 24000 / 1001, 25, 29.97, 30, 60])
@pytest.mark.parametrize("per_s", [2, 5, 7.5, 10])
def test_rate_is_kept_on_average(fps: float, per_s: float) -> None:
    """Over a minute as many frames are picked as the rate says, whatever the frame rate of the stream."""
    times = [step / fps for step in range(int(60 * fps))]
    assert len(picked(Sampler(per_s), times)) == pytest.approx(60 * per_s, abs=2)


def test_slow_stream_is_picked_whole() -> None:
    """A stream slower than the rate has every frame picked."""
    times = [step / 4 for step in range(40)]
    assert picked(Sampler(5), times) == times


def test_jitter_does_not_halve_the_rate() -> None:
    """Frames that come a few milliseconds early are still the ones that were due."""
    times = [step / 5 + (-0.004 if step % 2 else 0.004) for step in range(50)]
    assert len(picked(Sampler(5), times)) == 50


def test_repeats_are_not_picked_twice() -> None:
    """A media time that repeats was looked at already."""
    assert picked(Sampler(10), [0.0, 0.0, 0.1, 0.1, 0.1, 0.2]) == [0.0, 0.1, 0.2]


def test_jumps_start_a_new_grid() -> None:
    """After a jump ahead or back the next frame is picked, and the rate holds from there."""
    sampler = Sampler(2)
    assert picked(sampler, [0.0, 0.1, 100.0, 100.1, 100.5, 3.0, 3.1, 3.5]) == [0.0, 100.0, 100.5, 3.0, 3.5]


def test_rate_may_change() -> None:
    """Stepping down takes effect with the next frame; a rate of nothing is refused."""
    sampler = Sampler(10)
    fast = picked(sampler, [step / 30 for step in range(30)])
    sampler.per_s = 2
    slow = picked(sampler, [1 + step / 30 for step in range(60)])
    assert (len(fast), len(slow)) == (10, 4)
    assert sampler.per_s == 2
    with pytest.raises(ValueError, match="above 0"):
        sampler.per_s = 0


@given(st.lists(st.floats(0, 100), min_size=1), st.sampled_from([0.5, 5.0, 30.0]))
def test_first_is_picked_and_the_rate_is_a_ceiling(times: list[float], per_s: float) -> None:
    """The first frame is always picked; in rising time no two picks are closer than the period allows."""
    sampler, rising = Sampler(per_s), sorted(times)
    chosen = picked(sampler, rising)
    assert chosen[0] == rising[0]
    assert all(b - a >= 0.8 / per_s - 1e-9 for a, b in pairwise(chosen))
