# SPDX-License-Identifier: Apache-2.0
"""Nats per cue and step in, accumulated nats out: one-sided cumulative sums (Page 1954)."""

import math
from collections.abc import Mapping
from typing import Final

__all__ = ["CLIP_BIAS_NATS", "CLIP_NATS", "Cusum", "clip"]

CLIP_NATS: Final = 3.0
"""Most that one observation and one step may say: no single second decides, five must agree."""

CLIP_BIAS_NATS: Final = math.log1p(math.exp(-CLIP_NATS))
"""Cost of clipping, 0.05 nats: cutting the lower tail at -c lifts E[e^x] from 1 to at most 1 + e^-c,
so this much is taken off each step and the bound on false alarms holds again."""


def clip(llr_nats: float) -> float:
    """Limit one log-likelihood ratio to what one observation may say."""
    return max(-CLIP_NATS, min(CLIP_NATS, llr_nats))


class Cusum:
    """Sum of log-likelihood ratios that never falls below zero, and each cue's share in it.

    The shares add up to `nats`; they start anew whenever the sum touches zero.
    """

    def __init__(self) -> None:
        self._shares: dict[str, float] = {}

    @property
    def nats(self) -> float:
        """Accumulated evidence, 0 or more."""
        return math.fsum(self._shares.values())

    @property
    def shares(self) -> Mapping[str, float]:
        """Accumulated nats by cue, sorted by name."""
        return dict(sorted(self._shares.items()))

    def step(self, parts: Mapping[str, float], ceiling_nats: float) -> float:
        """Add one step's nats by cue, at most CLIP_NATS in all; returns the sum.

        The ceiling keeps a long attack from taking equally long to clear; it does not move the first crossing.
        """
        step_nats = math.fsum(parts.values())
        share = CLIP_NATS / step_nats if step_nats > CLIP_NATS else 1.0
        for cue, nats in parts.items():
            self._shares[cue] = self._shares.get(cue, 0.0) + share * nats
        total = self.nats
        if total <= 0.0:
            self.reset()
        elif total > ceiling_nats:
            self._shares = {cue: nats * ceiling_nats / total for cue, nats in self._shares.items()}
        return self.nats

    def reset(self) -> None:
        """Forget everything."""
        self._shares.clear()
