# SPDX-License-Identifier: Apache-2.0
"""Bona fide predictions and a calibration in, how often each person is scored as a forgery out; no one is named."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.calibration import Calibration
from models.evaluation.metrics import Interval
from models.evaluation.predictions import Prediction
from models.evaluation.resamples import interval, person_draws

__all__ = ["ALERT_SCORE", "STATED_SHARE", "Person", "people", "person_key", "share_above"]

ALERT_SCORE: Final = 0.5
STATED_SHARE: Final = 1e-3
"""Score .5 is to be exceeded by one bona fide look in a thousand."""


@dataclass(frozen=True, slots=True)
class Person:
    """One bona fide person in one condition: looks judged and the share of them above ALERT_SCORE."""

    key: str
    repo: str
    looks: int
    above: float
    mean_logit: float


def person_key(identity: str) -> str:
    """A short key that tells people apart without saying who they are."""
    return hashlib.sha256(f"person:{identity}".encode()).hexdigest()[:6]


def people(reals: Sequence[Prediction], calibration: Calibration) -> list[Person]:
    """Every person, the one with the largest share of looks above the score first, then by mean logit."""
    looks: dict[str, list[float]] = {}
    sources: dict[str, str] = {}
    for one in reals:
        looks.setdefault(one.identity, []).extend(one.logits)
        sources[one.identity] = one.repo
    found = [
        Person(person_key(name), sources[name], len(logits), _share(logits, calibration), float(np.mean(logits)))
        for name, logits in looks.items()
    ]
    return sorted(found, key=lambda person: (-person.above, -person.mean_logit, person.key))


def share_above(found: Sequence[Person]) -> Interval:
    """Share of looks above ALERT_SCORE, people weighing the same, with a bootstrap over them."""
    keys = [person.key for person in found]
    weights = person_draws(keys, sorted(set(keys)))
    return interval(weights @ np.array([person.above for person in found]) / weights.sum(axis=1))


def _share(logits: Sequence[float], calibration: Calibration) -> float:
    return float(np.mean([calibration.score(logit) > ALERT_SCORE for logit in logits]))
