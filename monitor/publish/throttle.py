# SPDX-License-Identifier: Apache-2.0
"""Words in; whether they may be said again now out."""

import time
from collections.abc import Callable

__all__ = ["Throttle"]


class Throttle:
    """Lets each key through at most once in `every_s`."""

    def __init__(self, every_s: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._said: dict[str, float] = {}

    def may(self, key: str) -> bool:
        """Whether this key may be said now."""
        now_s = self._clock()
        if now_s - self._said.get(key, -self._every_s) < self._every_s:
            return False
        self._said[key] = now_s
        return True
