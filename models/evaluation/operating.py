# SPDX-License-Identifier: Apache-2.0
"""Predictions and a calibration in, what a call would notice out: drift of the evidence, error rates at a score."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from models.calibration import Calibration
from models.evaluation.fit import LOOKS_PER_S
from models.evaluation.metrics import expected_calibration_error, wilson
from models.evaluation.predictions import Prediction
from models.evaluation.tables import markdown

__all__ = ["Drift", "calibration_gap", "drift", "error_table"]

ALERT_NATS: Final = math.log(100 * 3600.0)
"""Where the `enterprise` profile raises: one false alert per 100 participant-hours at one observation a second."""

ALERT_SCORE: Final = 0.5


class Drift(NamedTuple):
    """Mean evidence a second, and the most that a cumulative sum reached within the clip, in nats."""

    mean_nats: float
    most_nats: float


def drift(one: Prediction, calibration: Calibration) -> Drift:
    """Run one file's evidence through a one-sided cumulative sum, one step a second."""
    nats = np.array(
        [
            calibration.llr_nats(logit, face_px, sharp)
            for logit, face_px, sharp in zip(one.logits, one.face_px, one.sharpness, strict=True)
        ]
    )
    steps = [float(nats[start : start + LOOKS_PER_S].mean()) for start in range(0, len(nats), LOOKS_PER_S)]
    held = most = 0.0
    for step in steps:
        held = max(0.0, held + step)
        most = max(most, held)
    return Drift(float(np.mean(steps)), most)


def mean_score(one: Prediction, calibration: Calibration) -> float:
    """The file's mean score, as a scan prints it."""
    return float(np.mean([calibration.score(logit) for logit in one.logits]))


def error_table(predictions: Sequence[Prediction], calibration: Calibration) -> str:
    """BPCER and APCER (ISO/IEC 30107-3) by label, with Wilson intervals, films only."""
    films = [one for one in predictions if one.film]
    rows = []
    for condition in dict.fromkeys(one.condition for one in films):
        for label in sorted({one.label for one in films}, key=lambda name: (name != "real", name)):
            chosen = [one for one in films if one.condition == condition and one.label == label]
            if chosen:
                rows.append(_errors(condition, label, chosen, calibration))
    head = ("condition", "label", "clips / people", "score >= .5", "evidence grows", "alert within the clip")
    return markdown(head, rows)


def _errors(condition: str, label: str, chosen: Sequence[Prediction], calibration: Calibration) -> tuple[str, ...]:
    drifts = [drift(one, calibration) for one in chosen]
    counts = (
        sum(mean_score(one, calibration) >= ALERT_SCORE for one in chosen),
        sum(one.mean_nats > 0 for one in drifts),
        sum(one.most_nats >= ALERT_NATS for one in drifts),
    )
    people = len({one.identity for one in chosen})
    return (condition, label, f"{len(chosen)} / {people}", *(str(wilson(count, len(chosen))) for count in counts))


def calibration_gap(predictions: Sequence[Prediction], calibration: Calibration) -> float:
    """Expected calibration error of the evidence of whole files, read as probability at even odds.

    Bona fide and forged files weigh the same in total; NaN without both.
    """
    stated: list[float] = []
    for one in predictions:
        nats = [calibration.llr_nats(*look) for look in zip(one.logits, one.face_px, one.sharpness, strict=True)]
        stated.append(1.0 / (1.0 + math.exp(-float(np.mean(nats)))))
    forged = np.array([one.label != "real" for one in predictions], np.bool_)
    if forged.all() or not forged.any():
        return math.nan
    weights = np.where(forged, 0.5 / forged.sum(), 0.5 / (~forged).sum())
    return expected_calibration_error(np.array(stated), forged, weights)
