# SPDX-License-Identifier: Apache-2.0
"""Predictions in, the forgeries least noticed and the bona fide clips most suspected out, with what is odd of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.evaluation.baselines import covariate
from models.evaluation.predictions import Prediction

__all__ = ["Wrong", "false_alarms", "misses"]

ODD_SHARE: Final = 0.1
WORDS: Final = {
    "sharpness": ("blurred", "sharp"),
    "face size": ("small face", "large face"),
    "brightness": ("dark", "bright"),
    "looks": ("few looks", ""),
}
"""Words for a clip among the lowest and highest tenth of the bona fide ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Wrong:
    """A clip on the wrong side: `beyond` is the share of the other side's clips that it passes, `odd` what sets it
    apart from most bona fide clips.
    """

    prediction: Prediction
    beyond: float
    odd: tuple[str, ...]


def misses(predictions: Sequence[Prediction], most: int) -> list[Wrong]:
    """The forged films that lie lowest, at most one per person and method."""
    return _worst(predictions, "fake", most)


def false_alarms(predictions: Sequence[Prediction], most: int) -> list[Wrong]:
    """The bona fide films that lie highest, at most one per person."""
    return _worst(predictions, "real", most)


def _worst(predictions: Sequence[Prediction], side: str, most: int) -> list[Wrong]:
    reals = [one for one in predictions if one.film and one.label == "real"]
    fakes = [one for one in predictions if one.film and one.label != "real"]
    if not reals or not fakes:
        return []
    mine, others = (fakes, reals) if side == "fake" else (reals, fakes)
    sign = 1.0 if side == "fake" else -1.0
    ordered = _once_each(sorted(mine, key=lambda one: (sign * one.score, one.path)))[:most]
    theirs = sign * np.array([one.score for one in others])
    return [Wrong(one, float((theirs > sign * one.score).mean()), _odd(one, reals)) for one in ordered]


def _once_each(ordered: Sequence[Prediction]) -> list[Prediction]:
    found: dict[tuple[str, str], Prediction] = {}
    for one in ordered:
        found.setdefault((one.identity, one.method), one)
    return list(found.values())


def _odd(one: Prediction, reals: Sequence[Prediction]) -> tuple[str, ...]:
    words = [_word(one, reals, name, low, high) for name, (low, high) in WORDS.items()]
    return tuple(word for word in words if word)


def _word(one: Prediction, reals: Sequence[Prediction], name: str, low: str, high: str) -> str:
    value, usual = float(covariate(name, [one])[0]), covariate(name, reals)
    if not np.isfinite(value) or not np.isfinite(usual).all():
        return ""
    bounds = np.quantile(usual, (ODD_SHARE, 1.0 - ODD_SHARE))
    return low if value < bounds[0] else high if value > bounds[1] else ""
