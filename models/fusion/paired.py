# SPDX-License-Identifier: Apache-2.0
"""What the cues measured on each film in, weights that cannot learn which source a film comes from out; pure.

Each attack is compared with the bona fide films of its own source, and with no others: what a source does to all of its
films cancels (conditional logistic regression, Breslow and Day 1980, Statistical Methods in Cancer Research 1). A cue
that was not measured on both films of a pair takes no part in it. Weights are 0 or more and fitted jointly, so that of
two cues that say the same each gets a part; how far they are pulled towards 0 is chosen on people left out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.errors import DataError
from models.fusion.clips import Clip
from models.fusion.joined import Fit, Joined, known, out_of_fold, scaled

__all__ = ["RIDGES", "fit_pairs", "fit_ridge", "ridge_losses"]

RIDGES: Final = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Pulls to choose from; at the largest next to nothing is left of any weight."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Indices of attacks [P] and of bona fide films of their source [P], and what each pair weighs; the sum is 1."""

    fakes: NDArray[np.int_]
    reals: NDArray[np.int_]
    weights: Floats


def fit_pairs(clips: Sequence[Clip], cues: Sequence[str]) -> Joined:
    """Fit the weights, with the ridge that serves people left out best; raises `DataError` without any pair."""
    losses = ridge_losses(clips, cues)
    return fit_ridge(min(losses, key=lambda ridge: losses[ridge]))(clips, cues)


def ridge_losses(clips: Sequence[Clip], cues: Sequence[str]) -> dict[float, float]:
    """Mean log loss of the pairs for each ridge, each film scored by weights fitted on other people."""
    pairs = _paired(clips)
    return {ridge: _held_out_loss(clips, cues, pairs, ridge) for ridge in RIDGES}


def fit_ridge(ridge: float) -> Fit:
    """Give what fits the weights with this ridge."""

    def fit(clips: Sequence[Clip], cues: Sequence[str]) -> Joined:
        middles, spreads = scaled([clip for clip in clips if clip.real], cues)
        rows = np.array([known(clip, cues, middles, spreads) for clip in clips])
        pairs = _paired(clips)
        apart = np.nan_to_num(rows[pairs.fakes] - rows[pairs.reals])
        return Joined(tuple(cues), middles, spreads, _weights(apart, pairs.weights, ridge), 0.0)

    return fit


def _held_out_loss(clips: Sequence[Clip], cues: Sequence[str], pairs: _Pairs, ridge: float) -> float:
    scores = np.array(out_of_fold(clips, cues, fit_ridge(ridge)))
    return float(pairs.weights @ np.logaddexp(0.0, scores[pairs.reals] - scores[pairs.fakes]))


def _paired(clips: Sequence[Clip]) -> _Pairs:
    """Each person shown in attacks weighs the same, and so does each person of a source beside one attack."""
    beside: dict[str, list[int]] = {}
    for index, clip in enumerate(clips):
        if clip.real:
            beside.setdefault(clip.repo, []).append(index)
    attacks = [(index, clip) for index, clip in enumerate(clips) if not clip.real]
    found = [(fake, real) for fake, clip in attacks for real in beside.get(clip.repo, [])]
    if not found:
        raise DataError("no attack has a bona fide film of its own source: the cues cannot be weighed within sources")
    fakes, reals = (np.array(side) for side in zip(*found, strict=True))
    weights = _shares(clips, fakes, ["" for _ in fakes]) * _shares(clips, reals, [str(fake) for fake in fakes])
    return _Pairs(fakes, reals, weights / weights.sum())


def _shares(clips: Sequence[Clip], films: NDArray[np.int_], groups: Sequence[str]) -> Floats:
    """Of each pair's film, so that within a group people weigh alike, and groups alike."""
    people = [(group, clips[film].identity) for group, film in zip(groups, films, strict=True)]
    pairs_of = Counter(people)
    people_of = Counter(group for group, _ in pairs_of)
    return np.array([1.0 / (pairs_of[person] * people_of[person[0]]) for person in people])


def _weights(apart: Floats, weights: Floats, ridge: float) -> tuple[float, ...]:
    """Weights of 0 or more that minimise the log loss of the pairs and the ridge."""

    def loss(values: Floats) -> tuple[float, Floats]:
        margins = apart @ values
        pulled = -weights / (1.0 + np.exp(margins))
        penalty = ridge * float(np.square(values).sum())
        return float(weights @ np.logaddexp(0.0, -margins)) + penalty, apart.T @ pulled + 2 * ridge * values

    start, bounds = np.zeros(apart.shape[1]), [(0.0, None)] * apart.shape[1]
    return tuple(float(value) for value in minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)
