# SPDX-License-Identifier: Apache-2.0
"""Predictions in, how well detectors without any skill would do out: a shortcut must not pass for skill."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from models.evaluation.predictions import Prediction
from models.evaluation.resamples import Scored, trial
from models.evaluation.roc import auc_draws

__all__ = ["TRIVIAL", "Baseline", "baselines", "best", "covariate"]

Measure = Callable[[Prediction], float]


def _known(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if any(values) else math.nan


TRIVIAL: Final[Mapping[str, Measure]] = {
    "sharpness": lambda one: _mean(one.sharpness),
    "face size": lambda one: _mean(one.face_px),
    "length": lambda one: _known(one.seconds),
    "looks": lambda one: float(len(one.logits)),
    "bitrate": lambda one: _known(one.kbit_s),
    "brightness": lambda one: _known(one.brightness),
}
"""What a file is like apart from any forgery; NaN where it is not known."""


class Baseline(NamedTuple):
    """AUC of one trivial detector in its better direction: at least 0.5. `rising`: forgeries have more of it."""

    name: str
    auc: float
    rising: bool

    def __str__(self) -> str:
        """Value with the direction that speaks for a forgery."""
        return f"{self.auc:.2f} {'+' if self.rising else '-'}"


def covariate(name: str, predictions: Sequence[Prediction]) -> np.ndarray:
    """Values float64 [N] of a trivial measure."""
    return np.array([TRIVIAL[name](one) for one in predictions], np.float64)


def baselines(fakes: Sequence[Prediction], reals: Sequence[Prediction]) -> dict[str, Baseline]:
    """Every trivial detector whose measure is known of all clips; max(AUC, 1 - AUC), people weighing the same."""
    found = {}
    for name, measure in TRIVIAL.items():
        sides = [[Scored(one.identity, measure(one)) for one in group] for group in (fakes, reals)]
        if all(math.isfinite(one.score) for side in sides for one in side):
            value = float(auc_draws(trial(sides[0], sides[1], draws=0))[0])
            found[name] = Baseline(name, max(value, 1.0 - value), value >= 0.5)
    return found


def best(found: Mapping[str, Baseline]) -> Baseline | None:
    """The trivial detector that does best; None when nothing is known."""
    return max(found.values(), key=lambda one: one.auc, default=None)
