# SPDX-License-Identifier: Apache-2.0
"""Cumulative sums."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.policy.cusum import CLIP_BIAS_NATS, CLIP_NATS, Cusum, clip

PARTS = st.dictionaries(st.sampled_from("abc"), st.floats(-3, 3), max_size=3)


@given(st.lists(PARTS, max_size=60))
def test_never_below_zero_never_above_its_ceiling_and_shares_add_up(steps):
    """The sum stays within its bounds, and the cues' shares explain all of it."""
    cusum = Cusum()
    for parts in steps:
        nats = cusum.step(parts, ceiling_nats=10.0)
        assert 0.0 <= nats <= 10.0 + 1e-9
        assert math.fsum(cusum.shares.values()) == pytest.approx(nats, abs=1e-9)


@given(st.lists(PARTS, max_size=30))
def test_the_order_of_cues_changes_nothing(steps):
    """Cues are a set: naming them in another order gives the very same sum."""
    one, other = Cusum(), Cusum()
    for parts in steps:
        one.step(parts, 10.0)
        other.step(dict(reversed(parts.items())), 10.0)
        assert one.nats == other.nats


def test_one_step_says_at_most_the_clip():
    """Two cues that both shout add no more than one full step."""
    cusum = Cusum()
    assert cusum.step({"a": 3.0, "b": 3.0}, 100.0) == pytest.approx(CLIP_NATS)
    assert cusum.shares == pytest.approx({"a": 1.5, "b": 1.5})


def test_shares_start_anew_when_the_sum_touches_zero():
    """What a bona fide stretch has wiped out does not explain a later alarm."""
    cusum = Cusum()
    cusum.step({"a": 1.0}, 10.0)
    cusum.step({"b": -2.0}, 10.0)
    cusum.step({"c": 1.0}, 10.0)
    assert cusum.shares == {"c": 1.0}


@pytest.mark.parametrize(("llr", "clipped"), [(-50.0, -3.0), (-1.0, -1.0), (2.9, 2.9), (50.0, 3.0)])
def test_an_observation_is_clipped(llr, clipped):
    """A single observation says at most three nats either way."""
    assert clip(llr) == clipped


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0, 4.0, 8.0])
def test_the_bias_pays_for_clipping(spread):
    """E[e^x] over bona fide observations stays at most 1 after clipping and taking the bias off."""
    xs = [-40 + index * 0.01 for index in range(8001)]
    density = [math.exp(-((x + spread**2 / 2) ** 2) / (2 * spread**2)) for x in xs]
    mean = math.fsum(math.exp(clip(x) - CLIP_BIAS_NATS) * p for x, p in zip(xs, density, strict=True))
    assert mean / math.fsum(density) <= 1.0
