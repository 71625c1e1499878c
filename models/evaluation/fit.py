# SPDX-License-Identifier: Apache-2.0
"""Bona fide and forged predictions of calibration people in, a calibration out.

People differ more than the frames of one person, and a sequential test adds up what does not average out. So the
unit is the person: the evidence is set so that even the bona fide person who looks more forged than 99 of 100 others
gathers none (E[exp(llr)] <= 1 for that person), and every person weighs the same in the score's tail.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from models.calibration import Calibration
from models.evaluation.metrics import Interval
from models.evaluation.predictions import Prediction
from models.evaluation.shift import certain, face_slope, levelled

__all__ = ["Fit", "Spread", "fit", "per_second", "spread"]

WORST_PERSON: Final = 0.99
BODY_SHARES: Final = (0.98, 0.9, 0.75, 0.5, 0.25, 0.1)
TAIL_FROM: Final = 0.05
TAIL_SHARES: Final = (0.02, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
RESAMPLES: Final = 400
SLOPES: Final = (0.25, 2.0)
"""Least and most nats per logit: below, nothing is ever gathered; above, one odd second would weigh too much."""

FLOORS: Final = (-3.0, -0.3)
"""Bounds of the least evidence; even a detector that sees little may in time say that it saw nothing."""

LOOKS_PER_S: Final = 5
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Bona fide people: how many, mean and standard deviation of their mean logits, spread of a person's seconds,
    and the mean logit that one person in a hundred exceeds.
    """

    people: int
    mean: float
    between: float
    within: float
    worst_person: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibration and what it rests on.

    `face_slope` is in logits per octave of face size; `tail_logit` the logits by which the tail falls to 1/e.
    """

    calibration: Calibration
    spread: Spread
    face_slope: Interval
    forged_mean: float
    forged_seen: float
    tail_logit: tuple[float, float, float]


def per_second(logits: Sequence[float]) -> Floats:
    """Mean logit of each second's looks."""
    values = np.asarray(logits, np.float64)
    return np.array([values[start : start + LOOKS_PER_S].mean() for start in range(0, len(values), LOOKS_PER_S)])


def spread(reals: Iterable[Prediction]) -> Spread:
    """Measure how bona fide people differ, and how one person's seconds do."""
    series = _by_person(reals)
    means = np.array([float(np.mean([clip.mean() for clip in clips])) for clips in series.values()])
    squares = [float(np.var(clip, ddof=1)) for clips in series.values() for clip in clips if len(clip) > 1]
    between = float(means.std(ddof=1))
    reach = float(stats.t.ppf(WORST_PERSON, len(means) - 1)) * between * math.sqrt(1 + 1 / len(means))
    worst = max(float(means.mean()) + reach, float(np.quantile(means, WORST_PERSON, method="higher")))
    return Spread(len(means), float(means.mean()), between, math.sqrt(float(np.mean(squares))), worst)


def fit(reals: Sequence[Prediction], forged: Sequence[Prediction]) -> Fit:
    """Fit score and evidence; `forged` are our forgeries of calibration people, never those that were learnt from.

    The condition in which bona fide people look most forged decides. Forgeries that do not rise over the worst bona
    fide person there cannot be told from bona fide faces. Their share among `forged` bounds how much a low logit may
    speak for a bona fide face: ln(share), since the likelihood of a low logit under forgery is at least that share of
    the bona fide one.
    """
    shift = face_slope(reals)
    slope_px = certain(shift)
    level = [levelled(one, slope_px) for one in reals]
    people = max((spread(part) for part in _by_condition(level)), key=lambda found: found.worst_person)
    means = np.array([levelled(one, slope_px).score for one in forged])
    seen = means[means > people.worst_person]
    strength = float(seen.mean()) - people.worst_person if len(seen) else 0.0
    unseen = float((means <= people.worst_person).mean()) if len(means) else 1.0
    floor = math.log(min(max(unseen, math.exp(FLOORS[0])), math.exp(FLOORS[1])))
    slope = float(np.clip(strength / people.within**2, *SLOPES))
    origin = people.worst_person + 0.5 * slope * people.within**2
    values, weights = _weighted(reals)
    logits, levels, scales = _tail(values, weights, _by_person(reals))
    calibration = Calibration(logits, levels, round(slope, 4), round(origin, 4), round(floor, 4), face_slope=slope_px)
    return Fit(calibration, people, shift, float(means.mean()), 1.0 - unseen, scales)


def _by_condition(reals: Iterable[Prediction]) -> list[list[Prediction]]:
    """Divide by condition: a call keeps its own throughout, so people must not be averaged over several."""
    found: dict[str, list[Prediction]] = {}
    for one in reals:
        found.setdefault(one.condition, []).append(one)
    return list(found.values())


def _by_person(predictions: Iterable[Prediction]) -> Mapping[str, list[Floats]]:
    series: dict[str, list[Floats]] = {}
    for one in predictions:
        series.setdefault(one.identity, []).append(per_second(one.logits))
    return series


def _weighted(reals: Iterable[Prediction]) -> tuple[Floats, Floats]:
    """All logits, weighted so that every person weighs one."""
    series: dict[str, list[float]] = {}
    for one in reals:
        series.setdefault(one.identity, []).extend(one.logits)
    values = np.concatenate([np.asarray(logits) for logits in series.values()])
    weights = np.concatenate([np.full(len(logits), 1.0 / len(logits)) for logits in series.values()])
    return values, weights / weights.sum()


def _quantile(values: Floats, weights: Floats, above: float) -> float:
    """The value that a share `above` of the weight exceeds."""
    order = np.argsort(values)
    below = np.cumsum(weights[order]) - 0.5 * weights[order]
    return float(np.interp(1.0 - above, below, values[order]))


def _scale(values: Floats, weights: Floats, start: float) -> float:
    """Mean excess over `start`: the scale of an exponential tail (generalised Pareto with shape 0)."""
    over = values > start
    return float(np.average(values[over] - start, weights=weights[over])) if over.any() else 0.0


def _tail(
    values: Floats, weights: Floats, people: Mapping[str, list[Floats]]
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, float, float]]:
    """Knots of the map from logit to -log10 of the share above: quantiles, then an exponential tail.

    The tail's scale is the upper end of its 80 % bootstrap interval over people: with so few people the rarest
    bona fide observations are unknown, and a score must not promise more rarity than the data bear.
    """
    start = _quantile(values, weights, TAIL_FROM)
    scale = _scale(values, weights, start)
    rng = np.random.default_rng(0)
    pooled = [np.concatenate(clips) for clips in people.values()]
    found = []
    for _ in range(RESAMPLES):
        drawn = [pooled[int(index)] for index in rng.integers(len(pooled), size=len(pooled))]
        share = np.concatenate([np.full(len(one), 1.0 / len(one)) for one in drawn])
        sample = np.concatenate(drawn)
        found.append(_scale(sample, share, _quantile(sample, share / share.sum(), TAIL_FROM)))
    low, high = (float(value) for value in np.quantile(found, (0.1, 0.9)))
    used = max(scale, high)
    body = [(_quantile(values, weights, share), -math.log10(share)) for share in (*BODY_SHARES, TAIL_FROM)]
    tail = [(start + used * math.log(TAIL_FROM / share), -math.log10(share)) for share in TAIL_SHARES]
    knots = _ascending([*body, *tail])
    return tuple(round(x, 4) for x, _ in knots), tuple(round(y, 6) for _, y in knots), (scale, low, high)


def _ascending(knots: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    kept = [knots[0]]
    for knot in knots[1:]:
        if knot[0] > kept[-1][0] + 1e-3:
            kept.append(knot)
    return kept
