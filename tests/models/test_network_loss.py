# SPDX-License-Identifier: Apache-2.0
"""Packets in, what can be shown out: a loss freezes the picture until a keyframe that was asked for is whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.network import Link, Network, draw_network, draw_times, freezes


class Scripted:
    """A generator whose draws are given: 0 loses the packet, 1 does not."""

    def __init__(self, draws: list[float]) -> None:
        self._draws = draws

    def random(self) -> float:
        return self._draws.pop(0)


def test_a_loss_freezes_until_the_keyframe_a_round_trip_later() -> None:
    """The frame with the gap and all that lean on it are not shown; the keyframe is asked for once, in time."""
    link = Link(Network(loss=0.5, round_trip_s=0.15), Scripted([1, 1, 0, 1, 1, 1, 1, 1]))  # type: ignore[arg-type]
    shown, asked = [], []
    for count in range(8):
        at_s = count * 0.04
        asked.append(link.wants_keyframe(at_s))
        shown.append(link.carry(at_s, 900, keyframe=asked[-1] or count == 0))
    assert shown == [True, True, False, False, False, False, True, True]
    assert asked == [False] * 6 + [True, False]


def test_a_lost_keyframe_is_asked_for_again_not_sooner_than_the_sender_answers() -> None:
    """The second one follows 0.3 s later although the round trip is shorter."""
    link = Link(Network(loss=0.5, round_trip_s=0.05), Scripted([0, 1, 1, 0, 1, 1]))  # type: ignore[arg-type]
    assert not link.carry(0.0, 900, keyframe=True)
    assert not link.wants_keyframe(0.28)
    assert link.wants_keyframe(0.3)
    assert not link.carry(0.04, 900, keyframe=False)
    assert link.carry(0.3, 900, keyframe=True)
    assert not link.carry(0.4, 900, keyframe=False)
    assert link.wants_keyframe(0.46)


def test_large_frames_are_lost_more_often_and_repair_helps() -> None:
    """Every packet of 1,200 bytes can be the one that is missing; one retransmission squares the loss."""

    def whole(size_bytes: int, network: Network) -> float:
        link = Link(network, np.random.default_rng(1))
        return float(np.mean([link.carry(0.0, size_bytes, keyframe=True) for _ in range(4000)]))

    assert whole(1200, Network(0.1)) == pytest.approx(0.9, abs=0.02)
    assert whole(1201, Network(0.1)) == pytest.approx(0.81, abs=0.02)
    assert whole(1201, Network(0.1, retransmissions=1)) == pytest.approx(0.98, abs=0.01)


@pytest.mark.parametrize("burst", [1.0, 4.0])
def test_bursts_keep_the_share_of_lost_packets(burst: float) -> None:
    """Five in a hundred are lost, in runs of the length asked for."""
    link = Link(Network(0.05, burst_packets=burst), np.random.default_rng(3))
    lost = np.array([link._loses() for _ in range(60_000)])
    begun = int((lost[1:] & ~lost[:-1]).sum())
    assert lost.mean() == pytest.approx(0.05, abs=0.006)
    assert lost.sum() / begun == pytest.approx(max(burst, 1 / 0.95), rel=0.1)


def test_without_loss_everything_is_shown() -> None:
    """And no keyframe is ever asked for."""
    seen = freezes(Network(), 20, 5.0, 500.0, seed=1)
    assert seen.shown == tuple(range(20))
    assert seen.keyframes == ()


@given(seed=st.integers(0, 2**31 - 1), frames=st.integers(1, 20))
def test_freezes_hold_an_earlier_frame_and_end_with_a_keyframe(seed: int, frames: int) -> None:
    """Never a later frame, never back in time; whoever stands anew is a frame shown; the seed decides."""
    network = draw_network(np.random.default_rng(seed))
    seen = freezes(network, frames, 5.0, 400.0, seed)
    assert len(seen.shown) == frames
    assert all(showing <= index for index, showing in enumerate(seen.shown))
    assert list(seen.shown) == sorted(seen.shown)
    assert all(seen.shown[index] == index for index in seen.keyframes)
    assert seen == freezes(network, frames, 5.0, 400.0, seed)


def test_a_bad_network_really_freezes() -> None:
    """At a tenth of packets lost without repair many looks meet a frozen picture, and recovery follows."""
    seen = freezes(Network(0.1), 200, 5.0, 500.0, seed=2)
    frozen = [showing != index for index, showing in enumerate(seen.shown)]
    assert 0.2 < np.mean(frozen) < 0.9
    assert len(seen.keyframes) > 10


@given(
    seed=st.integers(0, 2**31 - 1),
    frames=st.integers(1, 40),
    available=st.integers(1, 300),
    exported_fps=st.sampled_from([5.0, 10.0, 30.0]),
)
def test_times_stay_inside_the_film_and_never_go_back(
    seed: int, frames: int, available: int, exported_fps: float
) -> None:
    """Any length of clip and film."""
    chosen = draw_times(np.random.default_rng(seed), frames, available, exported_fps)
    assert chosen.shape == (frames,)
    assert chosen.dtype == np.int64
    assert chosen[0] >= 0
    assert chosen[-1] < available
    assert (np.diff(chosen) >= 0).all()


def test_times_vary_as_call_rates_do() -> None:
    """Rates from 2 to 10 a second out of ten, mostly near five; some clips repeat a frame, some begin late."""
    draws = [draw_times(np.random.default_rng(seed), 6, 100, 10.0) for seed in range(400)]
    rates = np.array([50.0 / max(int(one[-1] - one[0]), 1) for one in draws])
    repeats = np.mean([(np.diff(one) == 0).any() for one in draws])
    assert np.percentile(rates, 2) < 2.8
    assert np.percentile(rates, 98) > 8.0
    assert 4.0 < np.median(rates) < 6.5
    assert 0.05 < repeats < 0.3
    assert len({int(one[0]) for one in draws}) > 40


def test_a_portrait_is_held_still_and_a_short_film_fills_the_clip() -> None:
    """One frame is repeated; eight frames for five looks are spread over."""
    assert (draw_times(np.random.default_rng(1), 5, 1, 10.0) == 0).all()
    steady = [draw_times(np.random.default_rng(seed), 5, 8, 10.0) for seed in range(50)]
    assert sum(len(set(one.tolist())) == 5 for one in steady) > 25
