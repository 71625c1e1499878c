# SPDX-License-Identifier: Apache-2.0
"""Predictions and a calibration in, every table of an evaluation in one Markdown text out."""

from collections.abc import Sequence
from typing import Final

from models.calibration import Calibration
from models.errors import DataError
from models.evaluation.aims import aim_table
from models.evaluation.alerts import CALL_S, delay_table, false_alert_table, play
from models.evaluation.comparison import Survey, comparison
from models.evaluation.figures import figures, stills_table, survey, trivial_table
from models.evaluation.groups import FAMILIES, bona_fide
from models.evaluation.matching import SHARPNESS_OCTAVES
from models.evaluation.misses import Wrong, false_alarms, misses
from models.evaluation.people import person_key
from models.evaluation.predictions import Prediction
from models.evaluation.reliability import people_table, reliability_table
from models.evaluation.tables import markdown

__all__ = ["WORST", "report", "worst_table"]

WORST: Final = 10
READING: Final = f"""
A clip's score is its mean logit. AUC: how often a forged clip lies above a bona fide one, people weighing the
same; 95 % intervals by bootstrap over people, as one person's clips are not independent. *Within source*
compares with bona fide clips of the same source only, *equally sharp* with those whose sharpness differs by
at most {SHARPNESS_OCTAVES:g} octaves, sharper and softer ones counting half each (covariate-adjusted AUC,
Janes and Pepe 2009; in brackets the share of forgeries that have such partners). *Best without skill* is the
best detector that looks at one plain property, in its better direction (+ forgeries have more of it). EER:
equal error rate. *Found at 1 % false*: share of forgeries above the score that 1 % of bona fide clips exceed;
where there are fewer than 100 such clips it is the share above all of them, and of N clips without a false
alarm the true rate may still be 3 / N. *Above own original*: share of forgeries that lie above the very clip
they were made from. *Mean of methods* counts every method the same.
Groups: {"; ".join(f"{name}: {', '.join(methods)}" for name, methods in FAMILIES.items())}.
"""
ALERTS: Final = f"""
The looks of every clip are played to the monitor's own policy in virtual time, with thresholds set on other people.
Most clips last 2-12 s, less than a decision takes. So each is also played over and over for {CALL_S:.0f} s: that
repeats the same evidence and is no call of {CALL_S:.0f} s. Delays count from the first look; clips that end without an
alert are censored there (Kaplan and Meier 1958). False alerts an hour are over the clips as they are, with exact
Poisson intervals (Garwood 1936).
"""


def report(predictions: Sequence[Prediction], calibration: Calibration) -> str:
    """Every table; raises `DataError` where there are no bona fide or no forged films."""
    if not bona_fide(predictions) or not any(one.film and one.label != "real" for one in predictions):
        raise DataError("an evaluation needs bona fide films and forged ones: one class alone gives no figure")
    by_condition = _by_condition(predictions)
    surveys = {condition: survey(chosen) for condition, chosen in by_condition.items()}
    played = play(predictions, calibration)
    sections = [
        ("Aims", aim_table(surveys, played)),
        ("By condition", comparison(surveys, predictions)),
        ("How to read the figures", READING),
        *((f"Condition: {name}", _details(surveys, name, by_condition[name])) for name in by_condition),
        ("Alerts and delays", "\n".join([ALERTS.strip(), "", delay_table(played), false_alert_table(played)])),
        ("How far score and evidence can be believed", reliability_table(predictions, calibration)),
        ("Bona fide people most often scored as forged", people_table(predictions, calibration)),
        ("Worst misses", worst_table([one for part in by_condition.values() for one in misses(part, WORST)])),
        (
            "Worst false alarms",
            worst_table([one for part in by_condition.values() for one in false_alarms(part, WORST)]),
        ),
    ]
    return "\n".join(f"### {head}\n\n{body.strip()}\n" for head, body in sections)


def worst_table(wrong: Sequence[Wrong]) -> str:
    """Clips on the wrong side, without names or paths."""
    rows = [
        (one.prediction.condition, f"{one.prediction.label} {one.prediction.method}".strip(), one.prediction.repo,
         person_key(one.prediction.identity), f"{one.prediction.score:.2f}", f"{one.beyond:.0%}", ", ".join(one.odd))
        for one in wrong
    ]  # fmt: skip
    return markdown(("condition", "clip", "source", "person", "mean logit", "beyond", "unusual"), rows)


def _details(surveys: Survey, name: str, predictions: Sequence[Prediction]) -> str:
    measured = surveys[name]
    parts = [figures(measured), stills_table(predictions), "Without skill, in the better direction:\n",
             trivial_table(measured)]  # fmt: skip
    return "\n".join(part for part in parts if part)


def _by_condition(predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    found: dict[str, list[Prediction]] = {}
    for one in predictions:
        found.setdefault(one.condition, []).append(one)
    return found
