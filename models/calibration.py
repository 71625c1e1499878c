# SPDX-License-Identifier: Apache-2.0
"""A network's logit in, evidence in nats and a score with a fixed meaning out; the numbers come from a JSON file."""

import json
import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from models.errors import WeightsError
from models.scales import REFERENCE_PX, SIZE_RANGE_OCTAVES, Scales

__all__ = ["LLR_LIMIT_NATS", "Calibration"]

LLR_LIMIT_NATS: Final = 3.0
"""No single observation may say more than this, however sure the network is."""

SCORE_LEVELS: Final = (0.0, 3.0, 4.0, 5.0)
SCORES: Final = (0.0, 0.5, 0.7, 0.85)
"""-log10 of the share of bona fide observations that score higher, and the score that stands for it."""

LOW_DECAY_PER_LOGIT: Final = 0.7
SHARPNESS_RANGE_OCTAVES: Final = 2.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a network's logits read.

    `logits` ascending, and `levels` ascending: -log10 of the share of bona fide observations above each.
    `llr_slope` nats per logit and `llr_origin` the logit of no evidence, for one independent observation a second.
    `llr_floor`: the least nats; a face that looks bona fide says no more than the share of forgeries allows that do so.
    `face_slope` and `sharpness_slope`: logits by which bona fide faces lie higher per octave of face width over
    `face_px` and of sharpness over `sharpness`; taken off before the logit is read as evidence.
    `scales`: how looks at full and at half detail are joined into the logit; None where there is only one look.
    """

    logits: tuple[float, ...]
    levels: tuple[float, ...]
    llr_slope: float
    llr_origin: float
    llr_floor: float = -LLR_LIMIT_NATS
    face_px: float = REFERENCE_PX
    face_slope: float = 0.0
    sharpness: float = 10.0
    sharpness_slope: float = 0.0
    scales: Scales | None = None

    def __post_init__(self) -> None:
        """Refuse a calibration that is not increasing or not finite."""
        finite = all(math.isfinite(value) for value in (*self.logits, *self.levels, self.llr_origin))
        rising = all(a < b for row in (self.logits, self.levels) for a, b in pairwise(row))
        if len(self.logits) < 2 or len(self.logits) != len(self.levels) or not finite or not rising:
            raise WeightsError("the calibration's logits and levels must be finite and ascending")
        if not 0.0 < self.llr_slope < math.inf or self.levels[0] <= 0.0:
            raise WeightsError("the calibration's slope and levels must be positive")
        if not -LLR_LIMIT_NATS <= self.llr_floor < 0.0:
            raise WeightsError(f"the calibration's floor must be negative and at least {-LLR_LIMIT_NATS}")

    def llr_nats(self, logit: float, face_px: float, sharpness: float) -> float:
        """Log-likelihood ratio of a forged against a bona fide face for one observation, within +-3 nats."""
        level = logit - self.expected_shift(face_px, sharpness) - self.llr_origin
        return max(self.llr_floor, min(LLR_LIMIT_NATS, self.llr_slope * level))

    def expected_shift(self, face_px: float, sharpness: float) -> float:
        """Logits by which a bona fide face of this size and sharpness is expected to lie off the reference."""
        size = _octaves(face_px, self.face_px, SIZE_RANGE_OCTAVES) * self.face_slope
        return size + _octaves(sharpness, self.sharpness, SHARPNESS_RANGE_OCTAVES) * self.sharpness_slope

    def level(self, logit: float) -> float:
        """-log10 of the share of bona fide observations above `logit`; strictly increasing, extrapolated linearly."""
        first, last = self.logits[0], self.logits[-1]
        if logit <= first:
            return self.levels[0] * math.exp(max(-600.0, LOW_DECAY_PER_LOGIT * (logit - first)))
        if logit >= last:
            slope = (self.levels[-1] - self.levels[-2]) / (last - self.logits[-2])
            return self.levels[-1] + slope * (logit - last)
        return float(np.interp(logit, self.logits, self.levels))

    def score(self, logit: float) -> float:
        """Score 0..1: 0.5 when one bona fide observation in 1,000 lies higher, 0.7 for 1 in 10^4, 0.85 for 10^5."""
        level = self.level(logit)
        if level >= SCORE_LEVELS[-1]:
            beyond = min(level - SCORE_LEVELS[-1], 30.0)
            return SCORES[-1] + (1.0 - SCORES[-1]) * -math.expm1(-beyond)
        return float(np.interp(level, SCORE_LEVELS, SCORES))

    def to_json(self) -> str:
        """Spell it out, one field a line, in fixed order."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Calibration":
        """Read what `to_json` wrote; raises `WeightsError` for anything else."""
        try:
            values: dict[str, Any] = json.loads(text)
            logits, levels = (tuple(float(item) for item in values.pop(name)) for name in ("logits", "levels"))
            stored = values.pop("scales", None)
            scales = None if stored is None else Scales(**{name: float(value) for name, value in stored.items()})
            return cls(logits, levels, scales=scales, **{name: float(value) for name, value in values.items()})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WeightsError(f"the calibration cannot be read: {error}") from error


def _octaves(value: float, reference: float, limit: float) -> float:
    return max(-limit, min(limit, math.log2(max(value, 1e-3) / reference)))
