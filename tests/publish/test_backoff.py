# SPDX-License-Identifier: Apache-2.0
"""Waits grow, stay below their limit, and start again."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.publish.backoff import Backoff


def test_ceilings_double_up_to_the_limit() -> None:
    """Asked for the largest jitter, waits are 0.5, 1, 2, 4 and then the limit; reset starts again."""
    backoff = Backoff(0.5, 5.0, uniform=lambda low, high: high)
    assert [backoff.next_s() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.next_s() == 0.5


@given(st.floats(0.01, 10), st.floats(0.01, 60), st.integers(1, 20))
def test_jitter_never_leaves_its_bounds(first_s: float, max_s: float, attempts: int) -> None:
    """A wait is never zero and never above the limit."""
    backoff = Backoff(first_s, max_s)
    waits = [backoff.next_s() for _ in range(attempts)]
    assert all(0 < wait <= max_s for wait in waits)
