# SPDX-License-Identifier: Apache-2.0
"""Scored fakes and bona fide clips in, the weights of their people in many bootstrap draws out.

A figure is computed for all draws at once: row 0 of every array is the sample as observed, the other rows are draws.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evaluation.metrics import LEVEL, Interval

__all__ = ["Scored", "Trial", "interval", "person_draws", "trial"]

DRAWS: Final = 1000
Floats = NDArray[np.float64]


class Scored(NamedTuple):
    """One clip: who is shown and how strongly it was taken for a forgery."""

    identity: str
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """`fake` float64 [F] and `real` [R] scores; `fake_weights` [1 + draws, F] and `real_weights` [1 + draws, R]."""

    fake: Floats
    real: Floats
    fake_weights: Floats
    real_weights: Floats


def trial(
    fakes: Sequence[Scored], reals: Sequence[Scored], people: Sequence[str] = (), *, seed: int = 0, draws: int = DRAWS
) -> Trial:
    """Draw people with replacement, every person weighing one; whoever is in both groups is drawn for both.

    `people` to draw from are those of the two groups when left out; with the same people and seed, the draws of
    several trials go together and their figures may be averaged draw by draw. Raises `DataError` for an empty group
    and for a score that is not a number.
    """
    if not fakes or not reals:
        raise DataError("nothing to compare: fakes and bona fide clips are both needed")
    if not all(math.isfinite(one.score) for one in (*fakes, *reals)):
        raise DataError("a score is not a number: judge the footage again")
    fake_names, real_names = [one.identity for one in fakes], [one.identity for one in reals]
    drawn_from = sorted(set(people) or {*fake_names, *real_names})
    return Trial(
        np.array([one.score for one in fakes], np.float64),
        np.array([one.score for one in reals], np.float64),
        person_draws(fake_names, drawn_from, seed=seed, draws=draws),
        person_draws(real_names, drawn_from, seed=seed, draws=draws),
    )


def person_draws(identities: Sequence[str], people: Sequence[str], *, seed: int = 0, draws: int = DRAWS) -> Floats:
    """Weights float64 [1 + draws, clips]: a person's weight is shared among the person's clips (Efron 1979)."""
    names, counts = np.unique(list(identities), return_counts=True)
    clips = dict(zip(names.tolist(), counts.tolist(), strict=True))
    place = {name: index for index, name in enumerate(people)}
    owner = np.array([place[name] for name in identities])
    own = np.array([1.0 / clips[name] for name in identities])
    times = np.random.default_rng(seed).multinomial(len(people), np.full(len(people), 1.0 / len(people)), size=draws)
    return np.vstack([own, own * times[:, owner]])


def interval(values: Floats) -> Interval:
    """Figure as observed with its percentile interval; draws in which nobody was left to compare are passed over."""
    drawn = values[1:][np.isfinite(values[1:])]
    if not math.isfinite(values[0]) or not len(drawn):
        return Interval(math.nan, math.nan, math.nan)
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Interval(float(values[0]), float(low), float(high))
