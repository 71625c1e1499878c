# SPDX-License-Identifier: Apache-2.0
"""Scores of single observations in, scores of a track out; nats in, a score on the same scale out."""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from monitor.values import Evidence

__all__ = ["RecentScore", "score_of_nats"]

RECENT_S: Final = 5.0
"""Time constant of the recent score: follows an attack that starts in mid-call within about ten seconds."""

SCALE: Final = ((0.0, 0.0), (3.0, 0.5), (4.0, 0.7), (5.0, 0.85), (8.0, 1.0))
"""The score contract: powers of ten of rarity among bona fide observations, and the score they have."""


class RecentScore:
    """Mean of the observations' scores, weighted by reliability: recent ones by age, and all alike."""

    def __init__(self) -> None:
        self._at_s = 0.0
        self._recent = self._recent_weight = 0.0
        self._sum = self._weight = 0.0

    @property
    def recent(self) -> float | None:
        """Exponentially weighted mean, 0..1; None when no cue has given a score."""
        return self._recent / self._recent_weight if self._recent_weight > 0.0 else None

    @property
    def mean(self) -> float | None:
        """Mean over everything judged, 0..1; None when no cue has given a score."""
        return self._sum / self._weight if self._weight > 0.0 else None

    def add(self, now_s: float, spoken: Iterable[Evidence]) -> None:
        """Take in the scores of evidence that speaks."""
        age = math.exp(-max(0.0, now_s - self._at_s) / RECENT_S)
        for evidence in spoken:
            if evidence.score is None:
                continue
            self._recent = self._recent * age + evidence.reliability * evidence.score
            self._recent_weight = self._recent_weight * age + evidence.reliability
            self._sum += evidence.reliability * evidence.score
            self._weight += evidence.reliability
            self._at_s, age = now_s, 1.0


def score_of_nats(nats: float) -> float:
    """Score of accumulated evidence when no cue gave one: P(bona fide reaches x nats) <= e^-x (Markov)."""
    powers = max(0.0, nats / math.log(10.0))
    for (low, low_score), (high, high_score) in pairwise(SCALE):
        if powers <= high:
            return low_score + (high_score - low_score) * (powers - low) / (high - low)
    return 1.0
