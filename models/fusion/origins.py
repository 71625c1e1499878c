# SPDX-License-Identifier: Apache-2.0
"""The evidence of scans and labels in, for each cue what bona fide people reach and on whom it speaks out, as Markdown.

`lifesign scan FOLDER --evidence --json > SCAN` with every cue in `liveness.cues`, of the films of `train/real` and of
`val`; then `python -m models.fusion.origins SCAN... --labels labels.csv [--pages docs/cues]`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from models.data.people import for_calibration
from models.errors import DataError, ModelError
from models.evaluation.newcomer import newcomer
from models.evaluation.resamples import Scored
from models.evaluation.roc import auc, auc_interval
from models.evaluation.section import rewrite
from models.evaluation.tables import markdown
from models.fusion.watched import Watched, calibrates, read_watched

__all__ = ["main", "report"]

NETWORK: Final = "detector"
"""It has a calibration of its own (`models.calibrate`)."""

CALIBRATE: Final = "bona fide, calibrate"
REPORT: Final = "bona fide, reported on"
LEARNT: Final = "bona fide, learnt from"
BONA_FIDE: Final = (CALIBRATE, REPORT, LEARNT)

ORIGIN_HEAD: Final = ("people", "minutes", "mean", "spread", "largest", "one new person in a hundred", "speaks above")
GROUP_HEAD: Final = ("films", "measured", "people", "largest", "AUC", "spoke in")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; exit 1 with one line on stderr when the input cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.fusion.origins", description=__doc__)
    parser.add_argument("scans", type=Path, nargs="+", help="output of `lifesign scan --evidence --json`")
    parser.add_argument("--labels", type=Path, required=True, help="labels.csv of the footage that was scanned")
    parser.add_argument("--pages", type=Path, help="rewrite the figures of the cues' pages in this folder")
    options = parser.parse_args(arguments)
    try:
        tables = report(read_watched(options.scans, options.labels))
        for cue, text in tables.items():
            if options.pages:
                rewrite(options.pages / f"{cue}.md", "figures", text)
            sys.stdout.write(f"## {cue}\n\n{text}\n")
    except (ModelError, OSError) as error:
        Console(stderr=True).print(f"the origins cannot be told: {error}")
        return 1
    return 0


def report(films: Sequence[Watched]) -> dict[str, str]:
    """Tables by cue."""
    cues = sorted({film.cue for film in films} - {NETWORK})
    return {cue: _tables([film for film in films if film.cue == cue]) for cue in cues}


def _tables(films: Sequence[Watched]) -> str:
    if all(film.largest is None for film in films):
        return markdown((GROUP_HEAD[0], GROUP_HEAD[-1]), [(row[0], row[-1]) for row in _groups(films)])
    return "\n".join([*_origin(films), markdown(GROUP_HEAD, _groups(films))])


def _origin(films: Sequence[Watched]) -> Iterator[str]:
    """What the calibrating people reach at their worst moment; nothing for a cue without a measure."""
    mine = [film for film in films if calibrates(film) and film.largest is not None]
    if not mine:
        return
    worst: dict[str, float] = {}
    for film in mine:
        worst[film.identity] = max(worst.get(film.identity, -float("inf")), film.largest or 0.0)
    minutes = f"{sum(film.measured_s for film in mine) / 60:.1f}"
    try:
        found = newcomer(worst.values())
        numbers = [f"{value:.2f}" for value in (found.mean, found.spread, found.largest, found.origin)]
    except DataError:
        numbers = ["", "", f"{max(worst.values()):.2f}", "too few"]
    origin = next((film.origin for film in films if film.origin is not None), None)
    yield markdown(ORIGIN_HEAD, [(str(len(worst)), minutes, *numbers, "" if origin is None else f"{origin:.2f}")])


def _groups(films: Sequence[Watched]) -> Iterator[tuple[str, ...]]:
    """Bona fide films by what they are used for, then attacks by label."""
    groups: dict[str, list[Watched]] = {name: [] for name in BONA_FIDE}
    for film in sorted(films, key=lambda one: one.label):
        groups.setdefault(_group(film), []).append(film)
    beside = [film for film in films if film.real and not film.training]
    for name, group in groups.items():
        if group:
            yield _row(name, group, [] if name in BONA_FIDE else beside)


def _group(film: Watched) -> str:
    if not film.real:
        return film.label
    if calibrates(film):
        return CALIBRATE
    return LEARNT if film.training or for_calibration(film.identity) else REPORT


def _row(name: str, group: Sequence[Watched], beside: Sequence[Watched]) -> tuple[str, ...]:
    measured = [film for film in group if film.largest is not None]
    people = str(len({film.identity for film in measured}))
    largest = f"{max(film.largest or 0.0 for film in measured):.2f}" if measured else ""
    spoke = f"{sum(film.spoke for film in group)} of {len(group)}"
    return (name, f"{len(measured)} of {len(group)}", people, largest, _auc(measured, beside), spoke)


def _auc(attacks: Sequence[Watched], beside: Sequence[Watched]) -> str:
    """AUC of the mean measure against the bona fide films of `val`; without an interval where one person is all."""
    fakes, reals = (
        [Scored(film.identity, film.mean) for film in side if film.mean is not None] for side in (attacks, beside)
    )
    if not fakes or not reals:
        return ""
    if min(len({one.identity for one in side}) for side in (fakes, reals)) < 2:
        return f"{auc(fakes, reals):.2f}"
    return str(auc_interval(fakes, reals))


if __name__ == "__main__":
    sys.exit(main())
