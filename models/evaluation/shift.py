# SPDX-License-Identifier: Apache-2.0
"""Bona fide predictions of the same films in several conditions in, what the size of a face does to its logits out.

A face that arrives smaller looks more forged to the network. That shift is the same person's, seen twice: it is
measured within each film across its conditions, so that neither people nor cameras enter it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.metrics import Interval
from models.evaluation.predictions import Prediction
from models.evaluation.resamples import interval, person_draws
from models.scales import REFERENCE_PX, octaves

__all__ = ["LEAST_OCTAVES", "certain", "face_slope", "levelled"]

LEAST_OCTAVES: Final = 0.1
"""Films whose size hardly differs between conditions say nothing about size."""

Floats = NDArray[np.float64]


def face_slope(reals: Iterable[Prediction]) -> Interval:
    """Logits per octave of face width by least squares within films; 0 when too few sizes were seen.

    The interval is a bootstrap over people.
    """
    films: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for one in reals:
        films.setdefault((one.identity, one.path), []).append((_size(one), one.score))
    moments = [(identity, *_moments(np.array(seen))) for (identity, _), seen in films.items()]
    moved = [row for row in moments if row[2] > LEAST_OCTAVES**2]
    if not moved:
        return Interval(0.0, 0.0, 0.0)
    names = [row[0] for row in moved]
    weights = person_draws(names, sorted(set(names)))
    along, across = (np.array([row[column] for row in moved]) for column in (1, 2))
    return interval((weights @ along) / np.maximum(weights @ across, 1e-12))


def certain(slope: Interval) -> float:
    """The slope, or 0 where the interval holds 0: chance may have made it."""
    return round(slope.value, 4) if slope.low * slope.high > 0.0 else 0.0


def levelled(one: Prediction, slope: float) -> Prediction:
    """The prediction as if all its faces had the reference size."""
    values = np.asarray(one.logits) - slope * octaves(one.face_px)
    return replace(one, logits=tuple(float(value) for value in values))


def _size(one: Prediction) -> float:
    """Mean size of the face in octaves over the reference size, however small or large."""
    return float(np.mean(np.log2(np.asarray(one.face_px) / REFERENCE_PX)))


def _moments(seen: Sequence[tuple[float, float]] | Floats) -> tuple[float, float]:
    """Sums of size x logit and of size x size about a film's own middle."""
    middle = np.asarray(seen) - np.mean(seen, axis=0)
    return float((middle[:, 0] * middle[:, 1]).sum()), float(np.square(middle[:, 0]).sum())
