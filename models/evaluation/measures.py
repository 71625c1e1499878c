# SPDX-License-Identifier: Apache-2.0
"""One group of fakes and its bona fide films in, every figure of that group out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.baselines import Baseline, baselines, covariate
from models.evaluation.groups import Group
from models.evaluation.matching import Matched, alike, matched_draws, within
from models.evaluation.predictions import Prediction
from models.evaluation.resamples import Scored, Trial, person_draws, trial
from models.evaluation.roc import auc_draws, eer_draws, tpr_draws

__all__ = ["FALSE_SHARES", "Measured", "Score", "macro", "mean_logit", "measure", "trial_of"]

FALSE_SHARES: Final = (1e-2, 1e-3)
Floats = NDArray[np.float64]
Score = Callable[[Prediction], float]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Figures of one group, each float64 [1 + draws], the observed one first; NaN where there is nothing to compare.

    `across` against all bona fide films, `own` against those of the same source only, `sharpness` among equally sharp
    ones; `originals` is the share above their own original, of `pairs`; `tpr` at each of FALSE_SHARES.
    """

    group: Group
    across: Floats
    own: Matched
    sharpness: Matched
    eer: Floats
    tpr: tuple[Floats, ...]
    originals: Floats
    pairs: int
    trivial: Mapping[str, Baseline]

    @property
    def gap(self) -> float:
        """By how much matching in sharpness changes the AUC of the fakes that have a match."""
        return float(abs(self.sharpness.unmatched[0] - self.sharpness.matched[0]))


def mean_logit(one: Prediction) -> float:
    """The clip's score: the mean logit."""
    return one.score


def trial_of(
    fakes: Sequence[Prediction], reals: Sequence[Prediction], score: Score, people: Sequence[str] = ()
) -> Trial:
    """Score both sides and draw their people."""
    sides = [[Scored(one.identity, score(one)) for one in group] for group in (fakes, reals)]
    return trial(sides[0], sides[1], people)


def measure(group: Group, score: Score = mean_logit, people: Sequence[str] = ()) -> Measured:
    """Measure a group; raises `DataError` when it is empty or a score is not a number."""
    fakes, reals = group.fakes, group.reals
    one = trial_of(fakes, reals, score, people)
    same_source = within([fake.repo for fake in fakes], [real.repo for real in reals])
    as_sharp = alike(covariate("sharpness", fakes), covariate("sharpness", reals))
    originals, pairs = _above_original(fakes, reals, score)
    return Measured(
        group=group,
        across=auc_draws(one),
        own=matched_draws(one, same_source),
        sharpness=matched_draws(one, as_sharp),
        eer=eer_draws(one),
        tpr=tuple(tpr_draws(one, share) for share in FALSE_SHARES),
        originals=originals,
        pairs=pairs,
        trivial=baselines(fakes, reals),
    )


def macro(measured: Sequence[Measured], figure: Callable[[Measured], Floats]) -> Floats:
    """Average a figure over groups draw by draw, so that every method counts the same; groups without it are left out.

    The groups must have been measured with the same `people`.
    """
    rows = [figure(one) for one in measured if math.isfinite(figure(one)[0])]
    if not rows:
        return np.array([math.nan])
    stacked = np.stack(rows)
    known = np.isfinite(stacked)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def _above_original(fakes: Sequence[Prediction], reals: Sequence[Prediction], score: Score) -> tuple[Floats, int]:
    """Share of fakes above the clip they were made from, ties half, people weighing the same."""
    originals = {real.pair: score(real) for real in reals if real.pair}
    paired = [fake for fake in fakes if fake.pair in originals]
    if not paired:
        return np.array([math.nan]), 0
    differences = np.array([score(fake) - originals[fake.pair] for fake in paired])
    won = (differences > 0) + 0.5 * (differences == 0)
    names = [fake.identity for fake in paired]
    weights = person_draws(names, sorted(set(names)))
    total = weights.sum(axis=1)
    return np.where(total > 0, weights @ won / np.maximum(total, 1e-300), np.nan), len(paired)
