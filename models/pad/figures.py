# SPDX-License-Identifier: Apache-2.0
"""Readings of bona fide and attacking files in, the origin and tables of error rates out."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from models.data.people import for_calibration, is_held_out
from models.evaluation.metrics import wilson
from models.evaluation.newcomer import newcomer
from models.evaluation.resamples import Scored
from models.evaluation.roc import auc, auc_interval
from models.evaluation.tables import markdown
from models.pad.judging import Read
from models.pad.store import Origin

__all__ = ["calibrated", "report", "unlearnt"]

BASELINES: Final[dict[str, Callable[[Read], float]]] = {
    "network": lambda one: one.mean,
    "blur": lambda one: -one.sharpness,
    "brightness": lambda one: one.brightness,
}


def unlearnt(reads: Sequence[Read], held_out_share: float) -> list[Read]:
    """Bona fide films of people the network did not learn from: held-out ones, and the calibration half of `val`."""
    real = [one for one in reads if one.film and one.label == "real"]
    return [one for one in real if _unseen(one, held_out_share)]


def calibrated(reads: Sequence[Read]) -> Origin:
    """Set the origin: what one new person in a hundred exceeds at worst, and no lower than the highest seen.

    People are the unit: each one's worst stretch.
    """
    worst = {name: max(one.worst for one in reads if one.identity == name) for name in {one.identity for one in reads}}
    found = newcomer(worst.values())
    minutes = sum(len(one.logits) for one in reads) / 60.0
    return Origin(round(found.origin, 4), round(found.spread, 4), found.people, round(minutes, 2))


def report(reads: Sequence[Read], origin: Origin) -> str:
    """Tables of a judged validation split: AUC by label and source, error rates at the origin (ISO/IEC 30107-3)."""
    reported = [one for one in reads if one.label != "real" or not one.film or not for_calibration(one.identity)]
    return "\n".join([*_ranks(reads), "", *_errors(reported, origin)])


def _unseen(one: Read, held_out_share: float) -> bool:
    if one.path.startswith("train/"):
        return is_held_out(one.identity, held_out_share)
    return for_calibration(one.identity)


def _ranks(reads: Sequence[Read]) -> Iterator[str]:
    rows = []
    for name, fakes, reals in _groups(reads):
        people = len({one.identity for one in fakes}), len({one.identity for one in reals})
        counts = f"{len(fakes)} ({people[0]})", f"{len(reals)} ({people[1]})"
        figures = [_ranked(fakes, reals, statistic) for statistic in BASELINES.values()]
        rows.append([name, *counts, *figures])
    yield from markdown(["attack", "files (people)", "bona fide", *BASELINES], rows).splitlines()


def _ranked(fakes: Sequence[Read], reals: Sequence[Read], statistic: Callable[[Read], float]) -> str:
    """AUC with an interval over people; without one where a side has no people to draw from."""
    forged, genuine = ([Scored(one.identity, statistic(one)) for one in side] for side in (fakes, reals))
    if min(len({one.identity for one in side}) for side in (fakes, reals)) < 2:
        return f"{auc(forged, genuine):.3f}"
    return str(auc_interval(forged, genuine))


def _groups(reads: Sequence[Read]) -> Iterator[tuple[str, list[Read], list[Read]]]:
    films = [one for one in reads if one.film]
    real = [one for one in films if one.label == "real"]
    for label in sorted({one.label for one in films} - {"real"}):
        yield f"{label}, films", [one for one in films if one.label == label], real
    pictures = [one for one in reads if not one.film]
    for source in sorted({one.source for one in pictures}):
        own = [one for one in pictures if one.source == source]
        fakes, reals = ([one for one in own if (one.label == "real") == bona_fide] for bona_fide in (False, True))
        yield f"replay, pictures of {source}", fakes, reals


def _errors(reads: Sequence[Read], origin: Origin) -> Iterator[str]:
    """How many files lie above the origin: BPCER for bona fide ones, 1 - APCER for the attacks of a label."""
    rows = []
    for label in sorted({(one.label, one.film, "" if one.film else one.source) for one in reads}):
        own = [one for one in reads if (one.label, one.film, "" if one.film else one.source) == label]
        above = sum(one.worst > origin.origin for one in own)
        name = f"{label[0]}, {'films' if label[1] else f'pictures of {label[2]}'}"
        rows.append([name, str(len(own)), str(above), str(wilson(above, len(own)))])
    yield f"Above the origin of {origin.origin:.2f} ({origin.people} people, {origin.minutes:.1f} minutes):"
    yield ""
    yield from markdown(["files", "count", "above", "share"], rows).splitlines()
