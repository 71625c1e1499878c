# SPDX-License-Identifier: Apache-2.0
"""A trial and which fake may be compared with which bona fide clip in, the matched figure for every draw out.

Covariate-adjusted AUC (Janes and Pepe, Biometrika 96(2), 2009): each fake is ranked among bona fide clips of the same
covariate only, and fakes are averaged. What the covariate alone tells apart does not count.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evaluation.resamples import Trial
from models.evaluation.roc import above

__all__ = ["SHARPNESS_OCTAVES", "Matched", "alike", "matched_draws", "within"]

SHARPNESS_OCTAVES: Final = 0.25
"""Clips count as equally sharp when their sharpness differs by at most a fifth: one live face varies by a third within
seconds, so this is closer than a camera keeps it.
"""

Floats = NDArray[np.float64]
Pairs = NDArray[np.bool_]


class Matched(NamedTuple):
    """AUC over matched pairs, and over all pairs of the same fakes, for every draw; share of fakes with a match."""

    matched: Floats
    unmatched: Floats
    share: float


def alike(fake: Floats, real: Floats, octaves: float = SHARPNESS_OCTAVES) -> tuple[Pairs, Pairs]:
    """Pairs bool [F, R] whose positive covariate differs by at most `octaves`: reals with less, and reals with more.

    Each side counts half, since more partners on the one than on the other would let the covariate speak again.
    """
    more = np.log2(np.maximum(real, 1e-6))[None, :] - np.log2(np.maximum(fake, 1e-6))[:, None]
    near = np.abs(more) <= octaves
    return np.asarray(near & (more <= 0), np.bool_), np.asarray(near & (more >= 0), np.bool_)


def within(fake: list[str], real: list[str]) -> tuple[Pairs]:
    """Pairs bool [F, R] of the same name, such as the same source."""
    return (np.asarray(np.array(fake)[:, None] == np.array(real)[None, :], np.bool_),)


def matched_draws(one: Trial, sides: Sequence[Pairs]) -> Matched:
    """AUC over allowed pairs, every side of a fake's partners weighing the same; NaN where no fake has partners.

    Fakes that lack partners on a side are left out of both figures.
    """
    kept = np.logical_and.reduce([allowed.any(axis=1) for allowed in sides])
    won = above(one)
    weights = one.fake_weights * kept
    matched = _averaged(weights, won, sides, one.real_weights)
    unmatched = _averaged(weights, won, (np.ones_like(won, np.bool_),), one.real_weights)
    observed = one.fake_weights[0]
    return Matched(matched, unmatched, float(observed[kept].sum() / observed.sum()))


def _averaged(fake_weights: Floats, won: Floats, sides: Sequence[Pairs], real_weights: Floats) -> Floats:
    """Rank of every fake among its partners, averaged over the fakes that have some on every side in the draw."""
    weights, rank = fake_weights, np.zeros_like(fake_weights)
    for allowed in sides:
        partners = real_weights @ allowed.T
        weights = weights * (partners > 0)
        rank = rank + (real_weights @ (won * allowed).T) / np.where(partners > 0, partners, 1.0) / len(sides)
    total = weights.sum(axis=1)
    return np.where(total > 0, (weights * rank).sum(axis=1) / np.where(total > 0, total, 1.0), np.nan)
