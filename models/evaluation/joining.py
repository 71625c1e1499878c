# SPDX-License-Identifier: Apache-2.0
"""Predictions of looks at two scales in, how bona fide people differ at each and predictions joined by it out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.predictions import Prediction, joined
from models.evaluation.shift import certain, face_slope, levelled
from models.scales import Scales

__all__ = ["measured", "rejoined"]

LEAST_PEOPLE: Final = 5
Floats = NDArray[np.float64]


def measured(reals: Iterable[Prediction]) -> Scales | None:
    """Measure bona fide people at both scales, conditions weighing the same; None without two scales or enough people.

    What the size of the face does is taken off each scale first.
    """
    films = [one for one in reals if one.coarse]
    coarse = [replace(one, logits=one.coarse) for one in films]
    detail = [replace(one, logits=tuple(np.subtract(one.fine, one.coarse).tolist())) for one in films]
    slopes = [certain(face_slope(part)) for part in (coarse, detail)]
    parts = [
        _people(levelled(one, slope) for one in part) for part, slope in zip((coarse, detail), slopes, strict=True)
    ]
    if not films or min(len(means) for part in parts for means in part) < LEAST_PEOPLE:
        return None
    middles = [round(float(np.mean([means.mean() for means in part])), 4) for part in parts]
    spreads = [round(float(np.sqrt(np.mean([means.var(ddof=1) for means in part]))), 4) for part in parts]
    if min(spreads) <= 0.0:
        return None
    return Scales(middles[0], spreads[0], middles[1], spreads[1], *slopes)


def rejoined(predictions: Sequence[Prediction], scales: Scales | None) -> list[Prediction]:
    """The same looks, joined as `scales` says; single looks stay what they are."""
    return [one if scales is None or not one.coarse else joined(one, scales) for one in predictions]


def _people(predictions: Iterable[Prediction]) -> list[Floats]:
    """Mean logits of people, one array a condition: a call keeps its condition throughout."""
    found: dict[str, dict[str, list[float]]] = {}
    for one in predictions:
        found.setdefault(one.condition, {}).setdefault(one.identity, []).append(one.score)
    return [np.array([np.mean(films) for films in people.values()]) for people in found.values()]
