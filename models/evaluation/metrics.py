# SPDX-License-Identifier: Apache-2.0
"""Counts and scores in, plain figures out: shares and rates with intervals, calibration error."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["LEVEL", "Interval", "expected_calibration_error", "hourly_rate", "pair_share", "wilson"]

LEVEL: Final = 0.95
Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Two digits are more than the sample sizes bear."""
        if math.isnan(self.value):
            return ""
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def pair_share(fakes: Sequence[float], originals: Sequence[float]) -> float:
    """Share of fakes that lie above their own original, ties half."""
    difference = np.asarray(fakes) - np.asarray(originals)
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


def wilson(hits: int, trials: int) -> Interval:
    """Share with its Wilson score interval (1927)."""
    if trials == 0:
        return Interval(math.nan, 0.0, 1.0)
    z = 1.959964
    share = hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def hourly_rate(events: int, hours: float) -> Interval:
    """Events an hour with the exact interval of a Poisson count (Garwood 1936).

    Without any event the interval is one-sided: at most ln(20) / hours with 95 % confidence.
    """
    if hours <= 0.0:
        return Interval(math.nan, 0.0, math.inf)
    if events == 0:
        return Interval(0.0, 0.0, -math.log(1.0 - LEVEL) / hours)
    low = stats.chi2.ppf((1.0 - LEVEL) / 2, 2 * events) / 2
    high = stats.chi2.ppf((1.0 + LEVEL) / 2, 2 * events + 2) / 2
    return Interval(events / hours, float(low) / hours, float(high) / hours)


def expected_calibration_error(
    probabilities: Floats, forged: NDArray[np.bool_], weights: Floats | None = None, bins: int = 10
) -> float:
    """Mean gap between stated probability and share of forgeries, over bins of equally many (Naeini et al. 2015).

    `weights` let groups count other than by their number; all alike when left out.
    """
    weight = np.ones(len(probabilities)) if weights is None else weights
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if weight[part].sum() > 0]
    gaps = [abs(float(weight[part] @ (probabilities[part] - forged[part]))) for part in parts]
    return float(sum(gaps)) / float(weight.sum()) if parts else math.nan
