# SPDX-License-Identifier: Apache-2.0
"""A trial's scores and weights in, figures of its receiver operating characteristic for every draw out."""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.metrics import Interval
from models.evaluation.resamples import Scored, Trial, interval, trial

__all__ = ["above", "auc", "auc_draws", "auc_interval", "clips_needed", "eer_draws", "tpr_draws"]

Floats = NDArray[np.float64]


def auc(fakes: list[Scored], reals: list[Scored]) -> float:
    """Probability that a fake lies above a bona fide clip, ties half, every person weighing the same."""
    return float(auc_draws(trial(fakes, reals))[0])


def auc_interval(fakes: list[Scored], reals: list[Scored], seed: int = 0) -> Interval:
    """`auc` with a percentile bootstrap over people."""
    return interval(auc_draws(trial(fakes, reals, seed=seed)))


def above(one: Trial) -> Floats:
    """Which fake lies above which bona fide clip, float64 [F, R]: 1 above, 0.5 equal, 0 below."""
    fake, real = one.fake[:, None], one.real[None, :]
    return np.asarray((fake > real) + 0.5 * (fake == real), np.float64)


def auc_draws(one: Trial) -> Floats:
    """Area under the curve for every draw, float64 [1 + draws]; NaN where a draw left one side empty."""
    won = np.einsum("df,fr,dr->d", one.fake_weights, above(one), one.real_weights, optimize=True)
    return _divided(won, one.fake_weights.sum(axis=1) * one.real_weights.sum(axis=1))


def eer_draws(one: Trial) -> Floats:
    """Equal error rate for every draw: the error where as many fakes are missed as bona fide clips are refused.

    Between the two thresholds around the crossing both errors are interpolated linearly.
    """
    bounds = np.append(np.unique(np.concatenate([one.fake, one.real])), np.inf)
    missed = _shares(one.fake_weights, (one.fake[:, None] < bounds[None, :]).astype(np.float64))
    refused = _shares(one.real_weights, (one.real[:, None] >= bounds[None, :]).astype(np.float64))
    lead = missed - refused
    after = np.maximum(np.argmax(lead >= 0.0, axis=1), 1)[:, None]
    left, right = (np.take_along_axis(lead, at, axis=1) for at in (after - 1, after))
    share = _divided(-left, right - left)
    low, high = (np.take_along_axis(missed, at, axis=1) for at in (after - 1, after))
    return np.asarray((low + share * (high - low))[:, 0], np.float64)


def tpr_draws(one: Trial, false_share: float) -> Floats:
    """Share of fakes above the lowest threshold that at most `false_share` of the bona fide weight exceeds.

    With few clips that is the threshold none of them exceeds; `clips_needed` says how many make a difference.
    """
    order = np.argsort(-one.real, kind="stable")
    weights = one.real_weights[:, order] / np.maximum(one.real_weights.sum(axis=1, keepdims=True), 1e-300)
    over = np.cumsum(weights, axis=1)
    within = over <= false_share + 1e-12
    first = np.argmax(~within, axis=1)
    threshold = one.real[order][first]
    hit = (one.fake_weights * (one.fake[None, :] > threshold[:, None])).sum(axis=1)
    empty = one.real_weights.sum(axis=1) <= 0.0
    return np.where(empty, np.nan, _divided(hit, one.fake_weights.sum(axis=1)))


def clips_needed(false_share: float) -> int:
    """Bona fide clips without which a false-positive rate cannot be told from none: one error would be more."""
    return round(1.0 / false_share)


def _shares(weights: Floats, counted: Floats) -> Floats:
    return _divided(weights @ counted, weights.sum(axis=1, keepdims=True))


def _divided(above_line: Floats, below_line: Floats) -> Floats:
    """Quotient, NaN where nothing is left to divide by."""
    return np.where(below_line > 0, above_line / np.where(below_line > 0, below_line, 1.0), np.nan)
