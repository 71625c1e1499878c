# SPDX-License-Identifier: Apache-2.0
"""Predictions of validation films before and after a round in, whether the round helped out.

Few people are shown, so one half of them is noise: the gain is taken on two halves of the people apart, by a hash of
the identity, and must show in their mean without a loss in either.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.data.open_fakes import ATTACK_OF
from models.data.people import for_calibration
from models.evaluation.predictions import Prediction
from models.evaluation.resamples import Scored
from models.evaluation.roc import auc

__all__ = ["Standing", "helped", "standing"]

SLACK: Final = 0.005
"""Macro AUC that a half may lose."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`labels` maps each kind of forgery to its AUC among all people; `halves` are macro AUC of either half."""

    labels: Mapping[str, float]
    halves: tuple[float, float]

    @property
    def macro(self) -> float:
        """Mean AUC over the kinds of forgery, all people."""
        return float(np.mean(list(self.labels.values())))


def standing(predictions: Sequence[Prediction]) -> Standing:
    """Score one set of weights by what they said of validation films."""
    mine = [one for one in predictions if for_calibration(one.identity)]
    others = [one for one in predictions if not for_calibration(one.identity)]
    return Standing(_by_label(predictions), (_macro(mine), _macro(others)))


def helped(before: Standing, after: Standing) -> bool:
    """Whether the macro AUC rose in the mean of both halves and fell in neither by more than the slack."""
    gains = [new - old for old, new in zip(before.halves, after.halves, strict=True)]
    return sum(gains) > 0 and min(gains) >= -SLACK


def _macro(predictions: Sequence[Prediction]) -> float:
    found = _by_label(predictions)
    return float(np.mean(list(found.values()))) if found else 0.5


def _by_label(predictions: Iterable[Prediction]) -> dict[str, float]:
    """AUC by label and condition, averaged over the conditions; replays are of too few people to decide anything."""
    films = [one for one in predictions if one.film]
    found: dict[str, list[float]] = {}
    for condition in sorted({one.condition for one in films}):
        here = [one for one in films if one.condition == condition]
        reals = [Scored(one.identity, one.score) for one in here if one.label == "real"]
        for label in sorted({one.label for one in here} & set(ATTACK_OF)):
            fakes = [Scored(one.identity, one.score) for one in here if one.label == label]
            if reals:
                found.setdefault(label, []).append(auc(fakes, reals))
    return {label: float(np.mean(values)) for label, values in found.items()}
