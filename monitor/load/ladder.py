# SPDX-License-Identifier: Apache-2.0
"""How loaded the service is, second by second, in; how often to look and whether to take anybody in out; pure."""

from collections.abc import Sequence
from typing import Final

__all__ = ["Ladder", "rates"]

STEPS: Final = (1.0, 0.75, 0.5)
"""Rates under load as shares of the usual one, above the least: 10, 7.5, 5, then 2 looks a second."""

CALM: Final = 0.9
"""What the load may come to after a step up: below the limit, or the step would be taken back at once."""

MOST_PATIENCE: Final = 16
"""A step up that fails doubles the wait for the next, up to this many times the first wait."""


def rates(usual_per_s: float, least_per_s: float) -> tuple[float, ...]:
    """Looks a second from the usual rate down to the least; the usual one alone when it is no higher than that."""
    least_per_s = min(least_per_s, usual_per_s)
    kept = [usual_per_s * step for step in STEPS if usual_per_s * step > least_per_s]
    return (*kept, least_per_s)


class Ladder:
    """Rungs of fewer and fewer looks, and a last one on which new participants are refused as well.

    Load above 1 for `down_after_s` steps down. Load that would stay below 1 with the looks of the rung above, for
    `up_after_s`, steps up; the wait doubles when such a step had to be taken back within it. Between the two nothing
    changes. Never more than one rung at a time.
    """

    def __init__(self, per_s: Sequence[float], down_after_s: float, up_after_s: float) -> None:
        self._per_s = (*per_s, per_s[-1])
        self._down_after_s = down_after_s
        self._up_after_s = self._patience_s = up_after_s
        self._over_since_s: float | None = None
        self._calm_since_s: float | None = None
        self._rose_s: float | None = None
        self.rung = 0

    @property
    def most_per_s(self) -> float:
        """Looks a second that each participant may have."""
        return self._per_s[self.rung]

    @property
    def refusing(self) -> bool:
        """Whether even the fewest looks are too many."""
        return self.rung == len(self._per_s) - 1

    def step(self, at_s: float, load: float) -> bool:
        """Take in the load at a moment (monotonic); whether the rung changed. At most one call a second is needed."""
        self._over_since_s = _since(self._over_since_s, at_s, holds=load > 1.0 and not self.refusing)
        self._calm_since_s = _since(self._calm_since_s, at_s, holds=self.rung > 0 and load * self._growth() <= CALM)
        if self._over_since_s is not None and at_s - self._over_since_s >= self._down_after_s:
            self._learn(at_s)
            return self._move(1, at_s)
        if self._calm_since_s is not None and at_s - self._calm_since_s >= self._patience_s:
            self._rose_s = at_s
            return self._move(-1, None)
        return False

    def rest(self) -> bool:
        """Go back to all looks, because there is nobody to look at; whether that is a change."""
        changed, self.rung = self.rung > 0, 0
        self._over_since_s = self._calm_since_s = self._rose_s = None
        self._patience_s = self._up_after_s
        return changed

    def _growth(self) -> float:
        """By how much the load grows at most one rung up: as if all of it came from looks."""
        return self._per_s[self.rung - 1] / self._per_s[self.rung]

    def _learn(self, at_s: float) -> None:
        """Be more patient after a step up that did not last."""
        if self._rose_s is not None:
            failed = at_s - self._rose_s <= self._patience_s
            longer_s = min(2 * self._patience_s, MOST_PATIENCE * self._up_after_s)
            self._patience_s = longer_s if failed else self._up_after_s
        self._rose_s = None

    def _move(self, rungs: int, over_since_s: float | None) -> bool:
        self.rung += rungs
        self._over_since_s, self._calm_since_s = over_since_s, None
        return True


def _since(since_s: float | None, at_s: float, *, holds: bool) -> float | None:
    if not holds:
        return None
    return at_s if since_s is None else since_s
