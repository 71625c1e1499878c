# SPDX-License-Identifier: Apache-2.0
"""Scores of fakes and of bona fide clips in, figures with intervals out; people count, not clips."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interval", "Scored", "auc", "auc_interval", "expected_calibration_error", "pair_share", "wilson"]

RESAMPLES: Final = 1000
LEVEL: Final = 0.95
Floats = NDArray[np.float64]


class Scored(NamedTuple):
    """One clip: who is shown and how strongly it was taken for a forgery."""

    identity: str
    score: float


class Interval(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Two digits are more than the sample sizes bear."""
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def auc(fakes: Sequence[Scored], reals: Sequence[Scored]) -> float:
    """Probability that a fake lies above a bona fide clip, ties half, every person weighing the same."""
    return _weighted_auc(_above(fakes, reals), _weights(fakes), _weights(reals))


def auc_interval(fakes: Sequence[Scored], reals: Sequence[Scored], seed: int = 0) -> Interval:
    """`auc` with a percentile bootstrap over people; whoever is in both groups is drawn for both."""
    above, weight_f, weight_r = _above(fakes, reals), _weights(fakes), _weights(reals)
    people = sorted({one.identity for one in (*fakes, *reals)})
    place = {name: index for index, name in enumerate(people)}
    owner_f = np.array([place[one.identity] for one in fakes])
    owner_r = np.array([place[one.identity] for one in reals])
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        times = np.bincount(rng.integers(len(people), size=len(people)), minlength=len(people))
        drawn_f, drawn_r = weight_f * times[owner_f], weight_r * times[owner_r]
        if drawn_f.sum() > 0 and drawn_r.sum() > 0:
            found.append(_weighted_auc(above, drawn_f, drawn_r))
    low, high = np.quantile(found, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Interval(_weighted_auc(above, weight_f, weight_r), float(low), float(high))


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


def expected_calibration_error(probabilities: Floats, forged: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean gap between stated probability and share of forgeries, over equally filled bins (Naeini et al. 2015)."""
    order = np.argsort(probabilities, kind="stable")
    gaps = [
        len(part) * abs(float(probabilities[part].mean()) - float(forged[part].mean()))
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return float(sum(gaps)) / max(len(probabilities), 1)


def _above(fakes: Sequence[Scored], reals: Sequence[Scored]) -> Floats:
    fake = np.array([one.score for one in fakes])[:, None]
    real = np.array([one.score for one in reals])[None, :]
    return np.asarray((fake > real) + 0.5 * (fake == real), np.float64)


def _weights(clips: Sequence[Scored]) -> Floats:
    """Every person weighs one, shared among the person's clips."""
    names, counts = np.unique([one.identity for one in clips], return_counts=True)
    of = dict(zip(names.tolist(), counts.tolist(), strict=True))
    return np.array([1.0 / of[one.identity] for one in clips])


def _weighted_auc(above: Floats, weight_f: Floats, weight_r: Floats) -> float:
    return float(weight_f @ above @ weight_r / (weight_f.sum() * weight_r.sum()))
