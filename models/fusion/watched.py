# SPDX-License-Identifier: Apache-2.0
"""The lines of `lifesign scan --evidence` and the labels in, what each cue reached on every whole film out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from models.data.people import for_calibration, is_held_out
from models.errors import DataError
from models.fusion.clips import LOOK_S, REAL, Line, films
from models.pad.learn import Recipe

__all__ = ["Watched", "calibrates", "read_watched"]


@dataclass(frozen=True, slots=True)
class Watched:
    """What one cue found on one film, over all of its faces.

    `mean` and `largest` of its measure, None where it never could take one; `measured_s` for how long it could; `spoke`
    whether any look gave evidence of an attack; `origin` the measure above which the cue says it speaks, None where it
    reads its evidence otherwise.
    """

    path: str
    label: str
    identity: str
    repo: str
    cue: str
    mean: float | None
    largest: float | None
    measured_s: float
    spoke: bool
    origin: float | None

    @property
    def real(self) -> bool:
        """Whether a live person is shown."""
        return self.label == REAL

    @property
    def training(self) -> bool:
        """Whether it is of the split that networks learn from."""
        return self.path.startswith("train/")


LEARNT: Final[Mapping[str, Callable[[Watched], bool]]] = MappingProxyType(
    {
        "replay": lambda film: film.training and not is_held_out(film.identity, Recipe().held_out_share),
    }
)
"""Films that a cue's own weights were learnt from, where that lowers its measure: they set no origin. Those that
synchrony learnt from agree better than others, which can only raise its origin, so they count."""


def calibrates(film: Watched) -> bool:
    """Whether a threshold of its cue may be set on the film: bona fide, not learnt from, not reported on."""
    chosen = film.training or for_calibration(film.identity)
    return film.real and chosen and not (film.cue in LEARNT and LEARNT[film.cue](film))


def read_watched(scans: Sequence[Path], labels: Path) -> list[Watched]:
    """Read every film of the scans; raises `DataError` for what is no scan and for scans without evidence."""
    found = [
        _watched(row, cue, lines)
        for scan in scans
        for row, said in films(scan, labels)
        for cue, lines in _by_cue(said).items()
    ]
    if not found:
        raise DataError(f"the scans hold no evidence on films of {labels}: scan them with --evidence")
    return found


def _by_cue(said: Iterable[Line]) -> dict[str, list[Line]]:
    cues: dict[str, list[Line]] = {}
    for line in said:
        if line["event"] == "evidence":
            cues.setdefault(str(line["cue"]), []).append(line)
    return cues


def _watched(row: Mapping[str, str], cue: str, lines: Sequence[Line]) -> Watched:
    measures = [float(line["measure"]) for line in lines if line["measure"] is not None]
    origins = [float(line["origin"]) for line in lines if line.get("origin") is not None]
    return Watched(
        path=row["path"],
        label=row["label"],
        identity=row["identity"],
        repo=row["repo"],
        cue=cue,
        mean=float(np.mean(measures)) if measures else None,
        largest=max(measures, default=None),
        measured_s=len(measures) * LOOK_S,
        spoke=any(line["reliability"] > 0.0 and line["llr_nats"] > 0.0 for line in lines),
        origin=origins[0] if origins else None,
    )
