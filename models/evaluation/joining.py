# SPDX-License-Identifier: Apache-2.0
"""Predictions of looks at two scales in, how bona fide people differ at each and predictions joined by it out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.predictions import Prediction
from models.scales import Scales

__all__ = ["measured", "rejoined"]

LEAST_PEOPLE: Final = 5
Floats = NDArray[np.float64]


def measured(reals: Iterable[Prediction]) -> Scales | None:
    """Middle and spread of bona fide people at each scale, conditions weighing the same; None without two scales.

    A person is one value in each condition, since a call keeps its condition throughout.
    """
    people: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for one in reals:
        if not one.coarse:
            return None
        fine, coarse = float(np.mean(one.fine)), float(np.mean(one.coarse))
        people.setdefault(one.condition, {}).setdefault(one.identity, []).append((coarse, fine - coarse))
    means = [np.array([np.mean(clips, axis=0) for clips in known.values()]) for known in people.values()]
    if not means or min(len(known) for known in means) < LEAST_PEOPLE:
        return None
    middle = np.mean([known.mean(axis=0) for known in means], axis=0)
    spread = np.sqrt(np.mean([known.var(axis=0, ddof=1) for known in means], axis=0))
    values = [round(float(value), 4) for value in (middle[0], spread[0], middle[1], spread[1])]
    return Scales(*values) if min(spread) > 0.0 else None


def rejoined(predictions: Sequence[Prediction], scales: Scales | None) -> list[Prediction]:
    """The same looks, joined as `scales` says; single looks stay what they are."""
    if scales is None:
        return list(predictions)
    return [
        replace(one, logits=tuple(round(float(value), 4) for value in scales.logit(one.fine, one.coarse)))
        if one.coarse
        else one
        for one in predictions
    ]
