# SPDX-License-Identifier: Apache-2.0
"""The long run's arithmetic, on marks as a process gives them."""

import pytest

from monitor.bench.probe import STAGES, Mark
from monitor.bench.soak import MIB, slope_mib_per_h, spans


def mark(at_s: float, grown_mib: float = 0.0) -> Mark:
    """A moment of a process that uses 9 % of a core and has 500 MiB and a little more."""
    cpu_s = dict.fromkeys(STAGES, 0.09 * at_s / len(STAGES))
    return Mark(at_s, cpu_s, round((500 + grown_mib) * MIB), 0, 0, 0, 0.002 * at_s)


def test_a_run_is_told_in_equal_parts() -> None:
    """Every part has its own cost, its middle lag and the memory at its end, and times begin at the first mark."""
    found = spans([mark(100.0 + minute, minute) for minute in range(7)], 3)
    assert [(each.from_s, each.to_s) for each in found] == [(0.0, 2.0), (2.0, 4.0), (4.0, 6.0)]
    assert [each.cpu_percent for each in found] == pytest.approx([9.0] * 3)
    assert [each.resident_bytes / MIB for each in found] == [502, 504, 506]
    assert found[0].lag_p99_s == pytest.approx(0.002 * 101.5)


def test_a_short_run_has_fewer_parts() -> None:
    """A part has two marks at least."""
    assert len(spans([mark(0.0), mark(1.0)], 6)) == 1


def test_growth_is_that_of_the_second_half() -> None:
    """What was allocated at the beginning is no leak; what grows by a MiB a minute is one of 60 an hour."""
    level = [mark(60.0 * minute, min(minute, 5)) for minute in range(20)]
    leaking = [mark(60.0 * minute, minute) for minute in range(20)]
    assert slope_mib_per_h(level) == pytest.approx(0.0, abs=1e-6)
    assert slope_mib_per_h(leaking) == pytest.approx(60.0)
