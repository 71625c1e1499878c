# SPDX-License-Identifier: Apache-2.0
"""How many streams make a load, and a table that was made by a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.bench.latency import streams_for


@given(st.floats(0.1, 1.0), st.floats(0.5, 200.0))
def test_the_nearest_number_of_streams_is_taken(load: float, percent: float) -> None:
    """No other number comes nearer to the load, and nobody measures an empty room."""
    streams = streams_for(load, percent)
    off = abs(streams * percent - 100 * load)
    assert streams >= 1
    assert off <= abs((streams + 1) * percent - 100 * load) + 1e-9
    assert streams == 1 or off <= abs((streams - 1) * percent - 100 * load) + 1e-9


@pytest.mark.parametrize(
    ("load", "percent", "streams"), [(0.5, 40.0, 1), (0.8, 40.0, 2), (0.8, 9.0, 9), (0.5, 90.0, 1)]
)
def test_loads_of_a_core(load: float, percent: float, streams: int) -> None:
    """With 40 % a stream, two streams make 80 %."""
    assert streams_for(load, percent) == streams
