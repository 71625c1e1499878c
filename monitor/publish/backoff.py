# SPDX-License-Identifier: Apache-2.0
"""Failures in, waiting times out: exponential growth with full jitter."""

import random
from collections.abc import Callable

__all__ = ["Backoff"]


class Backoff:
    """Waits between attempts: uniform in 0..ceiling, the ceiling doubles from `first_s` up to `max_s`.

    Full jitter, after Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): it spreads many
    clients that lost the same broker. A tenth of the ceiling is the least wait, so that no attempt follows at once.
    """

    def __init__(self, first_s: float, max_s: float, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._first_s = min(first_s, max_s)
        self._max_s = max_s
        self._uniform = uniform
        self._ceiling_s = self._first_s

    def next_s(self) -> float:
        """The next wait; the ceiling doubles."""
        ceiling_s = self._ceiling_s
        self._ceiling_s = min(ceiling_s * 2, self._max_s)
        return self._uniform(ceiling_s / 10, ceiling_s)

    def reset(self) -> None:
        """Start again from the first wait."""
        self._ceiling_s = self._first_s
