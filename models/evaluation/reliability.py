# SPDX-License-Identifier: Apache-2.0
"""Predictions and a calibration in, tables of how far score and evidence can be believed out."""

import math
from collections.abc import Sequence
from typing import Final

from models.calibration import Calibration
from models.data.people import for_calibration
from models.evaluation.groups import bona_fide
from models.evaluation.operating import calibration_gap
from models.evaluation.people import ALERT_SCORE, STATED_SHARE, people, share_above
from models.evaluation.predictions import Prediction
from models.evaluation.tables import markdown

__all__ = ["people_table", "reliability_table"]

WORST: Final = 5


def reliability_table(predictions: Sequence[Prediction], calibration: Calibration) -> str:
    """Calibration error of the evidence, and bona fide looks above the score that one in a thousand should exceed."""
    rows = []
    for condition in _conditions(predictions):
        films = [one for one in predictions if one.film and one.condition == condition]
        for who, mine in (("did not calibrate", False), ("calibrated", True)):
            chosen = [one for one in films if for_calibration(one.identity) is mine]
            if reals := bona_fide(chosen):
                rows.append(_row(condition, who, chosen, reals, calibration))
    head = ("condition", "people", "bona fide people", "calibration error", f"looks above {ALERT_SCORE}",
            f"stated {STATED_SHARE:.1%}", "people with any", "worst person")  # fmt: skip
    return markdown(head, rows)


def people_table(predictions: Sequence[Prediction], calibration: Calibration) -> str:
    """The bona fide people most often scored above ALERT_SCORE, condition by condition."""
    rows = []
    for condition in _conditions(predictions):
        reals = bona_fide([one for one in predictions if one.condition == condition])
        rows += [
            (condition, one.key, one.repo, str(one.looks), f"{one.above:.1%}", f"{one.mean_logit:.2f}")
            for one in people(reals, calibration)[:WORST]
        ]
    return markdown(("condition", "person", "source", "looks", f"above {ALERT_SCORE}", "mean logit"), rows)


def _row(
    condition: str, who: str, chosen: Sequence[Prediction], reals: Sequence[Prediction], calibration: Calibration
) -> tuple[str, ...]:
    found = people(reals, calibration)
    share, gap = share_above(found), calibration_gap(chosen, calibration)
    times = share.value / STATED_SHARE
    return (
        condition,
        who,
        str(len(found)),
        "" if math.isnan(gap) else f"{gap:.2f}",
        f"{share.value:.2%} [{share.low:.2%}, {share.high:.2%}]",
        f"{times:.1f} times that",
        f"{sum(one.above > 0 for one in found)} of {len(found)}",
        f"{found[0].above:.0%}",
    )


def _conditions(predictions: Sequence[Prediction]) -> list[str]:
    return list(dict.fromkeys(one.condition for one in predictions if one.film))
