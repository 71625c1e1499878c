# SPDX-License-Identifier: Apache-2.0
"""Mouths seen and mouths expected in, how well they agree at each lag out.

The peak of a normalised cross-correlation tells the lag of two series (Knapp and Carter 1976, IEEE Trans. ASSP 24); for
lips and voice so SyncNet (Chung and Zisserman 2016, ACCV workshops), whose margin of the peak over the median is used.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LAGS_S", "Agreement", "agreement"]

Floats = NDArray[np.float32]

LAGS_S: Final = np.round(np.arange(-1.0, 1.001, 0.04), 2)
"""Sound and picture that travel apart by less than a second are brought together; a constant skew costs nothing."""

LEAST_LOOKS: Final = 16
LEAST_LAGS: Final = 30
STEADY: Final = 1e-9


class Agreement(NamedTuple):
    """The best mean correlation over the numbers of a mouth, its lag, and its margin over the median of all lags."""

    peak: float
    lag_s: float
    margin: float


def agreement(
    times_s: NDArray[np.float64], mouths: Floats, begins_s: float, expected: Floats, grid_s: float
) -> Agreement | None:
    """Compare looks [n] and `mouths` [n, K] with `expected` [m, K] from `begins_s` on; None where too few lags overlap.

    A positive lag means that the sound comes after the mouth.
    """
    means = np.array([_correlation(times_s + lag_s, mouths, begins_s, expected, grid_s) for lag_s in LAGS_S])
    known = np.isfinite(means)
    if known.sum() < LEAST_LAGS:
        return None
    best = int(np.nanargmax(means))
    return Agreement(float(means[best]), float(LAGS_S[best]), float(means[best] - np.median(means[known])))


def _correlation(
    times_s: NDArray[np.float64], mouths: Floats, begins_s: float, expected: Floats, grid_s: float
) -> float:
    at = np.round((times_s - begins_s) / grid_s).astype(int)
    inside = (at >= 0) & (at < len(expected))
    if inside.sum() < LEAST_LOOKS:
        return float("nan")
    seen, heard = mouths[inside], expected[at[inside]]
    seen, heard = seen - seen.mean(axis=0), heard - heard.mean(axis=0)
    power = np.square(seen).sum(axis=0) * np.square(heard).sum(axis=0)
    return float(np.mean((seen * heard).sum(axis=0) / np.sqrt(power + STEADY)))
