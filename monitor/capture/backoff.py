# SPDX-License-Identifier: Apache-2.0
"""Failures and steady times in, how long to wait before the next try out."""

import random
from typing import Final

__all__ = ["Backoff"]

STEADY_S: Final = 10.0
"""Media must have flowed for this long before a failure counts as the first again."""


class Backoff:
    """Exponential waiting with jitter: each wait is drawn from the upper half of a doubling interval.

    The jitter keeps many clients of one server from coming back at the same instant. A server that accepts
    and drops at once never resets the waiting: only `STEADY_S` of media do.
    """

    def __init__(self, initial_s: float, maximum_s: float, chance: random.Random | None = None) -> None:
        self._initial_s = initial_s
        self._maximum_s = maximum_s
        self._chance = chance or random.Random()  # noqa: S311  # spreads load, guards nothing
        self.failures = 0

    def wait_s(self, at_least_s: float = 0.0) -> float:
        """Seconds to wait after one more failure; `at_least_s` is the server's own wish (Retry-After)."""
        ceiling_s = min(self._maximum_s, self._initial_s * 2 ** min(self.failures, 32))
        self.failures += 1
        return min(self._maximum_s, max(at_least_s, self._chance.uniform(ceiling_s / 2, ceiling_s)))

    def flowed(self, steady_s: float) -> None:
        """Media flowed for `steady_s` without a break."""
        if steady_s >= STEADY_S:
            self.failures = 0
