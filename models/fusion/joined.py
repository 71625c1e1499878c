# SPDX-License-Identifier: Apache-2.0
"""What the cues measured on each film in, one score per film out that never saw the film's person; pure.

Logistic regression with weights of 0 or more on measures in units of how bona fide people differ (the direction of
each cue is its own claim, so a negative weight would be luck). What was not measured shifts nothing. Each person weighs
the same, and attacks together weigh as much as bona fide films. Folds are people: whoever is scored was not fitted to.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.errors import DataError
from models.evaluation.resamples import person_draws
from models.fusion.clips import Clip

__all__ = ["Fit", "Fold", "Joined", "by_person", "fit", "known", "out_of_fold", "scaled"]

FOLDS: Final = 5
RIDGE: Final = 0.02
"""Pulls weights towards 0, so that a cue that tells nothing gets none; the mean log loss is of the order of 0.7."""

FURTHEST: Final = 4.0
"""In standard deviations of bona fide people; beyond, one odd film would decide about a weight."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Joined:
    """Weights of the cues, in log odds per standard deviation of bona fide people."""

    cues: tuple[str, ...]
    middles: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    origin: float

    def score(self, clip: Clip) -> float:
        """Log odds that the film shows an attack, attacks being as frequent as bona fide films."""
        shifts = np.nan_to_num(known(clip, self.cues, self.middles, self.spreads))
        return self.origin + float(shifts @ np.asarray(self.weights))


Fit = Callable[[Sequence[Clip], Sequence[str]], Joined]
Fold = Callable[[Clip], object]


def fit(clips: Sequence[Clip], cues: Sequence[str]) -> Joined:
    """Fit the weights; raises `DataError` when bona fide films or attacks are missing."""
    reals = [clip for clip in clips if clip.real]
    if not reals or len(reals) == len(clips):
        raise DataError("bona fide films and attacks are both needed to weigh the cues")
    middles, spreads = scaled(reals, cues)
    rows = np.nan_to_num([known(clip, cues, middles, spreads) for clip in clips])
    weights, origin = _logistic(rows, np.array([not clip.real for clip in clips]), _people_weights(clips))
    return Joined(tuple(cues), middles, spreads, tuple(weights), origin)


def by_person(clip: Clip) -> int:
    """Fold of a film: the same for all films of a person."""
    return int(hashlib.sha256(f"fold:{clip.identity}".encode()).hexdigest()[:8], 16) % FOLDS


def out_of_fold(
    clips: Sequence[Clip], cues: Sequence[str], fit_to: Fit = fit, fold_of: Fold = by_person
) -> list[float]:
    """Score every film by weights fitted on films of other folds."""
    scores = [0.0] * len(clips)
    fold = [fold_of(clip) for clip in clips]
    for name in set(fold):
        joined = fit_to([clip for clip, of in zip(clips, fold, strict=True) if of != name], cues)
        for index, clip in enumerate(clips):
            if fold[index] == name:
                scores[index] = joined.score(clip)
    return scores


def scaled(reals: Sequence[Clip], cues: Sequence[str]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Middles and spreads of the cues' measures over bona fide people."""
    scales = [_scale(reals, cue) for cue in cues]
    return tuple(middle for middle, _ in scales), tuple(spread for _, spread in scales)


def known(clip: Clip, cues: Sequence[str], middles: Sequence[float], spreads: Sequence[float]) -> Floats:
    """Measures of a film in those units float64 [cues], NaN where none was taken."""
    values = [_measure(clip, cue) for cue in cues]
    shifts = [
        np.nan if value is None else (value - middle) / spread
        for value, middle, spread in zip(values, middles, spreads, strict=True)
    ]
    return np.clip(np.asarray(shifts, np.float64), -FURTHEST, FURTHEST)


def _scale(reals: Sequence[Clip], cue: str) -> tuple[float, float]:
    """Middle and spread of a cue's measure over bona fide people; a cue that was never measured stays at 0."""
    people: dict[str, list[float]] = {}
    for clip in reals:
        if (value := _measure(clip, cue)) is not None:
            people.setdefault(clip.identity, []).append(value)
    means = np.array([np.mean(values) for values in people.values()])
    spread = float(means.std(ddof=1)) if len(means) > 1 else 0.0
    return (float(np.mean(means)), spread) if spread > 0.0 else (0.0, 1.0)


def _measure(clip: Clip, cue: str) -> float | None:
    word = clip.words.get(cue)
    return None if word is None else word.measure


def _people_weights(clips: Sequence[Clip]) -> Floats:
    """Each person weighs the same within its class, both classes alike."""
    real = np.array([clip.real for clip in clips])
    weights = np.zeros(len(clips))
    for side in (True, False):
        names = [clip.identity for clip in clips if clip.real is side]
        own = person_draws(names, sorted(set(names)), draws=1)[0]
        weights[real == side] = own / own.sum() / 2
    return weights


def _logistic(rows: Floats, attack: NDArray[np.bool_], weights: Floats) -> tuple[list[float], float]:
    """Weights of 0 or more and an origin that minimise the weighted log loss (Cox 1958) and the ridge."""
    signs = np.where(attack, 1.0, -1.0)

    def loss(values: Floats) -> tuple[float, Floats]:
        margins = signs * (rows @ values[:-1] + values[-1])
        pulled = -weights * signs / (1.0 + np.exp(margins))
        gradient = np.append(rows.T @ pulled + 2 * RIDGE * values[:-1], pulled.sum())
        return float(weights @ np.logaddexp(0.0, -margins) + RIDGE * np.square(values[:-1]).sum()), gradient

    bounds = [(0.0, None)] * rows.shape[1] + [(None, None)]
    found = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds)
    return [float(value) for value in found.x[:-1]], float(found.x[-1])
