# SPDX-License-Identifier: Apache-2.0
"""Measured groups and played calls in, a table of every aim beside what was measured out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.evaluation.alerts import CALL_S, Played, family_delays
from models.evaluation.comparison import Survey, lost, named
from models.evaluation.conditions import CLEAN
from models.evaluation.delay import false_alerts
from models.evaluation.groups import NETWORK_SWAPS, RECENT_LIPSYNC, WAV2LIP_CLASS
from models.evaluation.tables import figure, markdown, seconds

__all__ = ["AIMS", "CALL_CONDITION", "LOW_CONDITION", "Aim", "aim_table"]

CALL_CONDITION: Final = "360p 500 kbit/s"
LOW_CONDITION: Final = "180p 150 kbit/s"
PROFILE: Final = "enterprise"
MOST_GAP: Final = 0.05
MOST_LOST: Final = 0.10
MOST_ALERTED: Final = 0.01
MOST_DELAY_S: Final = 10.0
MISSING: Final = "not measured"


@dataclass(frozen=True, slots=True)
class Aim:
    """Least AUC of a group against all bona fide films in CALL_CONDITION: a first one, and the one to reach."""

    group: str
    first: float
    aim: float


AIMS: Final = (
    Aim(WAV2LIP_CLASS, 0.93, 0.97),
    Aim(RECENT_LIPSYNC, 0.70, 0.85),
    Aim("swap", 0.75, 0.90),
    Aim(NETWORK_SWAPS, 0.75, 0.90),
    Aim("reenact", 0.70, 0.85),
    Aim("synthetic", 0.75, 0.90),
)
Row = tuple[str, str, str, str]


def aim_table(surveys: Survey, played: Sequence[Played]) -> str:
    """What was aimed at and what was measured; an aim counts as reached by the figure, whatever its interval."""
    rows = [_auc_row(surveys, aim) for aim in AIMS]
    rows += [_gap_row(surveys, aim.group) for aim in AIMS]
    rows += [_lost_row(surveys, aim.group) for aim in AIMS]
    return markdown(("aim", "at least / at most", "measured", ""), [*rows, _alerted_row(played), _delay_row(played)])


def _auc_row(surveys: Survey, aim: Aim) -> Row:
    name, wanted = f"AUC, {aim.group}, {CALL_CONDITION}", f"{aim.first:.2f}, then {aim.aim:.2f}"
    found = named(surveys.get(CALL_CONDITION, ()), aim.group)
    if found is None:
        return name, wanted, MISSING, ""
    value = float(found.across[0])
    verdict = "reached" if value >= aim.aim else "first reached" if value >= aim.first else "not reached"
    return name, wanted, figure(found.across), verdict


def _gap_row(surveys: Survey, group: str) -> Row:
    found = named(surveys.get(CALL_CONDITION, ()), group)
    name = f"AUC changed by matching in sharpness, {group}, {CALL_CONDITION}"
    if found is None or math.isnan(found.gap):
        return name, f"{MOST_GAP:.2f}", MISSING, ""
    return name, f"{MOST_GAP:.2f}", f"{found.gap:.2f}", _kept(found.gap, MOST_GAP)


def _lost_row(surveys: Survey, group: str) -> Row:
    value = lost(surveys, group, CLEAN, LOW_CONDITION)
    name = f"AUC lost from {CLEAN} to {LOW_CONDITION}, {group}"
    if value is None:
        return name, f"{MOST_LOST:.2f}", MISSING, ""
    return name, f"{MOST_LOST:.2f}", f"{value:.2f}", _kept(value, MOST_LOST)


def _alerted_row(played: Sequence[Played]) -> Row:
    name = f"bona fide clips alerted, {PROFILE}, {CALL_CONDITION}"
    found = next((one for one in played if (one.condition, one.profile) == (CALL_CONDITION, PROFILE)), None)
    reals = [one for one in found.once if one.prediction.label == "real"] if found else []
    if not reals:
        return name, f"{MOST_ALERTED:.0%}", MISSING, ""
    share = false_alerts(reals).alerted
    return name, f"{MOST_ALERTED:.0%}", str(share), _kept(share.value, MOST_ALERTED)


def _delay_row(played: Sequence[Played]) -> Row:
    name = f"median delay, {WAV2LIP_CLASS}, {PROFILE}, {CALL_CONDITION}, clips repeated for {CALL_S:.0f} s"
    found = family_delays(played, CALL_CONDITION, PROFILE, WAV2LIP_CLASS)
    if found is None:
        return name, f"{MOST_DELAY_S:.0f} s", MISSING, ""
    median_s = found.median_s.value
    return name, f"{MOST_DELAY_S:.0f} s", seconds(median_s, CALL_S), _kept(median_s, MOST_DELAY_S)


def _kept(value: float, most: float) -> str:
    return "reached" if value <= most else "not reached"
