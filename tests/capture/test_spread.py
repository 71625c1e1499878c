# SPDX-License-Identifier: Apache-2.0
"""Places in the period: apart however many there are, and where the clock says."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.capture.sampler import Sampler
from monitor.capture.spread import Spread, wait_s
from monitor.capture.tap import Tap
from monitor.config import CaptureSettings


@given(st.integers(2, 500))
def test_places_lie_apart(count: int) -> None:
    """No gap between neighbours, round the period, is much wider or narrower than an even share."""
    spread = Spread()
    places = sorted(spread.place() for _ in range(count))
    gaps = [(after - before) % 1.0 for before, after in zip(places, [*places[1:], places[0]], strict=True)]
    assert min(gaps) > 0.38 / count
    assert max(gaps) < 2.7 / count


@given(st.floats(0, 0.999), st.floats(0.01, 2.0), st.floats(0, 1e6))
def test_the_wait_ends_at_the_place(place: float, period_s: float, now_s: float) -> None:
    """Less than a period, and then the clock stands there."""
    waited = wait_s(place, period_s, now_s)
    assert 0.0 <= waited <= period_s
    off = (now_s + waited - place * period_s) % period_s
    assert min(off, period_s - off) == pytest.approx(0.0, abs=1e-6)


def test_a_delayed_grid_keeps_its_rate() -> None:
    """The first look stays where it was, those after it come later by the same time."""
    sampler = Sampler(5)
    times = [step / 100 for step in range(200)]
    first = sampler.pick(times[0])
    sampler.delay(0.05)
    chosen = [at_s for at_s in times[1:] if sampler.pick(at_s)]
    assert first
    assert chosen == pytest.approx([0.23 + 0.2 * step for step in range(9)], abs=0.025)


def test_two_who_join_together_are_looked_at_in_turn() -> None:
    """Both at 5 looks a second from the same moment on: half a period apart, and the first look of each at once."""
    looks: dict[float, list[float]] = {}
    with ThreadPoolExecutor(1) as pool:
        for place in (0.0, 0.5):
            clock = [1000.0]
            tap = Tap("call", "ann", CaptureSettings(), pool, lambda clock=clock: clock[0], place=place)
            for step in range(300):
                clock[0] = 1000.0 + step / 100
                media_s = tap.note(step * 900, clock[0])
                if tap.pick(media_s):
                    looks.setdefault(place, []).append(step / 100)
    assert looks[0.0][0] == looks[0.5][0] == 0.0
    assert [at_s % 0.2 for at_s in looks[0.5][2:]] == pytest.approx([0.08] * len(looks[0.5][2:]), abs=0.021)
    gaps = [later - at_s for at_s, later in zip(looks[0.0][2:], looks[0.5][2:], strict=False)]
    assert all(0.05 < gap % 0.2 < 0.15 for gap in gaps)
