# SPDX-License-Identifier: Apache-2.0
"""Participants as they come in, and when within the common period each of them is looked at, out."""

from typing import Final

__all__ = ["PLACES", "Spread", "wait_s"]

GOLDEN: Final = 0.6180339887498949
"""Multiples of the golden ratio, modulo 1, lie apart however many there are: the next falls into a widest gap."""


class Spread:
    """Gives places 0..1 within a period, so that looks at many participants do not all fall due at one moment.

    Without it those who join together wait for each other at every look for as long as they stay.
    """

    def __init__(self) -> None:
        self._count = 0

    def place(self) -> float:
        """The next participant's place."""
        place, self._count = self._count * GOLDEN % 1.0, self._count + 1
        return place


PLACES: Final = Spread()
"""Those of this process."""


def wait_s(place: float, period_s: float, now_s: float) -> float:
    """How long after `now_s` the clock is next at this place of the period, less than one period."""
    return (place * period_s - now_s) % period_s
