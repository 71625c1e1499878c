# SPDX-License-Identifier: Apache-2.0
"""Predictions and a calibration in, tables of what the monitor's profiles would have alerted, and how soon, out."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from models.calibration import Calibration
from models.data.people import for_calibration
from models.evaluation.delay import Delays, FalseAlerts, delays, false_alerts
from models.evaluation.groups import bona_fide, family_of
from models.evaluation.metrics import Interval
from models.evaluation.predictions import Prediction
from models.evaluation.tables import markdown, seconds
from models.evaluation.watch import PROFILES, Watched, watch

__all__ = ["CALL_S", "Played", "delay_table", "false_alert_table", "family_delays", "play"]

CALL_S: Final = 60.0
"""Files of a few seconds are played over until this long; their evidence is repeated, so this is no call of 60 s."""


class Played(NamedTuple):
    """Every film of one condition as one profile saw it, once as long as it is and once for CALL_S."""

    condition: str
    profile: str
    once: tuple[Watched, ...]
    repeated: tuple[Watched, ...]


def play(predictions: Sequence[Prediction], calibration: Calibration) -> list[Played]:
    """Watch the films of every condition with every profile."""
    films = [one for one in predictions if one.film]
    return [
        Played(
            condition,
            profile,
            tuple(watch(one, calibration, profile) for one in films if one.condition == condition),
            tuple(watch(one, calibration, profile, CALL_S) for one in films if one.condition == condition),
        )
        for condition in dict.fromkeys(one.condition for one in films)
        for profile in PROFILES
    ]


def delay_table(played: Sequence[Played]) -> str:
    """Time to detect by group, of people who did not calibrate; the files as they are, then played for CALL_S."""
    rows = [
        (one.condition, one.profile, name, f"{repeated.clips} / {repeated.people}", _share(once.alerted),
         _share(repeated.alerted), _median(repeated.median_s), seconds(repeated.p90_s, CALL_S))
        for one in played for name, once, repeated in _grouped(one)
    ]  # fmt: skip
    head = ("condition", "profile", "forgery", "clips / people", "alerted within the clip",
            f"alerted in {CALL_S:.0f} s of it", "median delay", "90 % alerted after")  # fmt: skip
    return markdown(head, _merged(rows))


def false_alert_table(played: Sequence[Played]) -> str:
    """Alerts on bona fide films: of people who did not calibrate, and of all."""
    rows = []
    for one in played:
        for who, chosen in (("did not calibrate", _reported(one.once)), ("all", list(one.once))):
            keys = {watched.prediction.path for watched in chosen}
            again = [watched for watched in one.repeated if watched.prediction.path in keys]
            if reals := _reals(chosen):
                rows.append(_false_row(one, who, false_alerts(reals), false_alerts(_reals(again))))
    head = ("condition", "profile", "people", "clips / people", "alerted within the clip",
            f"alerted in {CALL_S:.0f} s of it", "false alerts an hour", "minutes")  # fmt: skip
    return markdown(head, _merged(rows))


def family_delays(played: Sequence[Played], condition: str, profile: str, family: str) -> Delays | None:
    """Delays of one group, over repeated files; None where it was not judged."""
    for one in played:
        if (one.condition, one.profile) == (condition, profile):
            return next((repeated for name, _, repeated in _grouped(one) if name == family), None)
    return None


def _merged(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Rows of profiles that came to the same in one row, in the order of condition and group."""
    profiles: dict[tuple[str, ...], list[str]] = {}
    for condition, profile, *rest in rows:
        profiles.setdefault((condition, *rest), []).append(profile)
    order = {row[0]: place for place, row in reversed(list(enumerate(rows)))}
    merged = [(key[0], ", ".join(names), *key[1:]) for key, names in profiles.items()]
    return sorted(merged, key=lambda row: (order[row[0]], row[2]))


def _false_row(one: Played, who: str, once: FalseAlerts, repeated: FalseAlerts) -> tuple[str, ...]:
    hourly = once.hourly
    rate = (
        f"at most {hourly.high:.0f}"
        if hourly.value == 0
        else f"{hourly.value:.1f} [{hourly.low:.1f}, {hourly.high:.1f}]"
    )
    return (one.condition, one.profile, who, f"{once.clips} / {once.people}", str(once.alerted), str(repeated.alerted),
            rate, f"{once.hours * 60:.1f}")  # fmt: skip


def _grouped(one: Played) -> list[tuple[str, Delays, Delays]]:
    """Delays by family, once and repeated."""
    once, repeated = _reported(one.once), _reported(one.repeated)
    names = sorted({family_of(watched.prediction) for watched in once if watched.prediction.label != "real"})
    return [(name, *(delays(_family(side, name)) for side in (once, repeated))) for name in names]  # type: ignore[misc]


def _family(watched: Sequence[Watched], name: str) -> list[Watched]:
    return [one for one in watched if one.prediction.label != "real" and family_of(one.prediction) == name]


def _reported(watched: Sequence[Watched]) -> list[Watched]:
    """Files of people on whom no threshold was set."""
    return [one for one in watched if not for_calibration(one.prediction.identity)]


def _reals(watched: Sequence[Watched]) -> list[Watched]:
    wanted = {one.path for one in bona_fide([watched_.prediction for watched_ in watched])}
    return [one for one in watched if one.prediction.path in wanted]


def _share(found: Interval) -> str:
    return str(found)


def _median(found: Interval) -> str:
    middle = seconds(found.value, CALL_S)
    return (
        f"{middle} [{seconds(found.low, CALL_S)}, {seconds(found.high, CALL_S)}]"
        if math.isfinite(found.low)
        else middle
    )
