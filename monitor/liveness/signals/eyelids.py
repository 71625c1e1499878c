# SPDX-License-Identifier: Apache-2.0
"""Closures of the eyes in, blinks and the time watched for them out."""

from collections import deque
from math import exp
from typing import Final

import numpy as np

__all__ = ["RISE", "SEEN_S", "Eyelids"]

RISE: Final = 0.25
"""Closure, 0..1, above that of the open eye from which the eye is shut; photographs moved about stay far below."""

OPEN_LOOKS: Final = 15
LEAST_LOOKS: Final = 3
"""The open eye is the median of so many looks, three seconds; it is not known from fewer than the latter."""

SEEN_S: Final = 0.2
"""How long a look sees: at fewer looks a second the blinks between them are not missed but were not watched for."""

RECENT_S: Final = 60.0
"""Blinks and time fade with this constant, so that the rate is that of the last minute or so."""


class Eyelids:
    """Counts blinks; `watched_s` and `ever` are of all time, `blinks` and `recent_s` fade."""

    def __init__(self) -> None:
        self._closures: deque[float] = deque(maxlen=OPEN_LOOKS)
        self._shut = False
        self.watched_s = self.recent_s = self.blinks = 0.0
        self.ever = False

    def see(self, closure: float, since_s: float) -> None:
        """Take in the closure 0..1 of a look that came `since_s` after the last one."""
        raised = closure - float(np.median(self._closures)) if len(self._closures) >= LEAST_LOOKS else 0.0
        blinked = not self._shut and raised > RISE
        self._shut = raised > RISE / 2 and (self._shut or blinked)
        self._closures.append(closure)
        self.ever |= blinked
        watched_s = min(since_s, SEEN_S)
        kept = exp(-watched_s / RECENT_S)
        self.watched_s += watched_s
        self.recent_s = self.recent_s * kept + watched_s
        self.blinks = self.blinks * kept + blinked
