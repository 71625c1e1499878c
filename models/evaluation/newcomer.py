# SPDX-License-Identifier: Apache-2.0
"""What each of some people reached in, what one new person in a hundred is expected to exceed out; pure."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from models.errors import DataError

__all__ = ["Newcomer", "newcomer"]

RARE: Final = 0.01
LEAST_PEOPLE: Final = 10


@dataclass(frozen=True, slots=True)
class Newcomer:
    """How many `people`, their `mean`, standard deviation `spread` and `largest`, and the `origin` above all of them
    that one new person in a hundred is expected to exceed.
    """

    people: int
    mean: float
    spread: float
    largest: float
    origin: float


def newcomer(reached: Collection[float]) -> Newcomer:
    """Prediction bound of a normal sample (Hahn and Meeker, Statistical Intervals, 1991), no lower than the largest.

    Raises `DataError` for fewer than ten people.
    """
    values = np.array(list(reached), np.float64)
    count = len(values)
    if count < LEAST_PEOPLE:
        raise DataError(f"{count} people are too few to say what one in a hundred exceeds: 10 at least are needed")
    mean, spread, largest = float(values.mean()), float(values.std(ddof=1)), float(values.max())
    reach = float(stats.t.ppf(1.0 - RARE, count - 1)) * spread * math.sqrt(1.0 + 1.0 / count)
    return Newcomer(count, mean, spread, largest, max(mean + reach, largest))
