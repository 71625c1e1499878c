# SPDX-License-Identifier: Apache-2.0
"""Watched files in, how long until the alert out: Kaplan-Meier quantiles with misses censored, false alerts an hour."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evaluation.metrics import LEVEL, Interval, hourly_rate, wilson
from models.evaluation.resamples import interval, person_draws
from models.evaluation.watch import Watched

__all__ = ["Delays", "FalseAlerts", "delays", "detected_curve", "false_alerts", "quantile_s"]

Floats = NDArray[np.float64]
HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Delays:
    """Alerts on forgeries: share of clips alerted, seconds until half and 90 % of them would be (inf: never)."""

    clips: int
    people: int
    alerted: Interval
    median_s: Interval
    p90_s: float


@dataclass(frozen=True, slots=True)
class FalseAlerts:
    """Alerts on bona fide clips: share of clips with one, alerts an hour, hours watched."""

    clips: int
    people: int
    alerted: Interval
    hourly: Interval
    hours: float


def detected_curve(times_s: Floats, alerted: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Kaplan and Meier (1958): event times float64 [E] ascending, and the share alerted by each, float64 [..., E].

    `times_s` [N] is the alert's time or, where `alerted` is false, when the clip ended without one (right-censored).
    `weights` [..., N]. Raises `DataError` when there is no clip or a time is not a number.
    """
    if not len(times_s) or not np.isfinite(times_s).all():
        raise DataError("delays need at least one clip, and finite times")
    events = np.unique(times_s[alerted])
    at_risk = weights @ (times_s[:, None] >= events[None, :])
    failing = weights @ ((times_s[:, None] == events[None, :]) & alerted[:, None])
    hazard = np.where(at_risk > 0, failing / np.where(at_risk > 0, at_risk, 1.0), 0.0)
    return events, np.asarray(1.0 - np.cumprod(1.0 - hazard, axis=-1), np.float64)


def quantile_s(events: Floats, shares: Floats, share: float) -> Floats:
    """First time at which at least `share` are alerted, float64 [...]; inf where that many never are."""
    reached = shares >= share - 1e-9
    if not len(events):
        return np.full(shares.shape[:-1], math.inf)
    return np.where(reached.any(axis=-1), events[np.argmax(reached, axis=-1)], math.inf)


def delays(watched: Sequence[Watched]) -> Delays:
    """How soon forgeries are alerted, people weighing the same; the median's interval is a bootstrap over people.

    Raises `DataError` without any clip.
    """
    if not watched:
        raise DataError("delays need at least one clip")
    times_s = np.array([one.watched_s if one.alert_s is None else one.alert_s for one in watched])
    alerted = np.array([one.alert_s is not None for one in watched], np.bool_)
    people, weights = _draws(watched)
    events, shares = detected_curve(times_s, alerted, weights)
    return Delays(
        clips=len(watched),
        people=people,
        alerted=interval(weights @ alerted / np.where(weights.sum(axis=1) > 0, weights.sum(axis=1), math.nan)),
        median_s=_spread(quantile_s(events, shares, 0.5)),
        p90_s=float(quantile_s(events, shares[:1], 0.9)[0]),
    )


def false_alerts(watched: Sequence[Watched]) -> FalseAlerts:
    """How often bona fide people are alerted on."""
    if not watched:
        raise DataError("false alerts need bona fide clips")
    hours = sum(one.watched_s for one in watched) / HOUR_S
    return FalseAlerts(
        clips=len(watched),
        people=len({one.prediction.identity for one in watched}),
        alerted=wilson(sum(one.alert_s is not None for one in watched), len(watched)),
        hourly=hourly_rate(sum(one.alerts for one in watched), hours),
        hours=hours,
    )


def _draws(watched: Sequence[Watched]) -> tuple[int, Floats]:
    names = [one.prediction.identity for one in watched]
    return len(set(names)), person_draws(names, sorted(set(names)))


def _spread(values: Floats) -> Interval:
    """Percentile interval of times, of which some draws' are infinite."""
    ordered = np.sort(values[1:])
    pick: Callable[[float], float] = lambda share: float(ordered[min(len(ordered) - 1, int(share * len(ordered)))])  # noqa: E731
    return Interval(float(values[0]), pick((1 - LEVEL) / 2), pick((1 + LEVEL) / 2))
