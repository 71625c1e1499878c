# SPDX-License-Identifier: Apache-2.0
"""The lines of `lifesign scan --evidence` and the labels in, what every cue said of every film out."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.data.crops import is_film
from models.errors import DataError

__all__ = ["LOOK_S", "REAL", "Clip", "Line", "Word", "films", "read_clips"]

REAL: Final = "real"
WHOLE_FRAME: Final = "full"
LOOK_S: Final = 0.2
SLACK_S: Final = 0.05
"""Between looks; and how far a look's time may be off."""

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Word:
    """What one cue said of one film.

    `measure` is the mean of what it measured, None when it never could; `looks` how often it was asked; `spoke` and
    `accused` the shares 0..1 of looks with evidence at all, and with evidence of an attack.
    """

    measure: float | None
    looks: int
    spoke: float
    accused: float


@dataclass(frozen=True, slots=True)
class Clip:
    """One film: who is shown, how it was made, what each cue said of its most seen face, and whether it was alerted."""

    path: str
    label: str
    method: str
    identity: str
    repo: str
    alerted: bool
    words: Mapping[str, Word]

    @property
    def real(self) -> bool:
        """Whether a live person is shown."""
        return self.label == REAL


def read_clips(scan: Path, labels: Path, seconds: float) -> list[Clip]:
    """Join a scan's evidence with labels.csv; pictures, whole-frame copies and files without a face are left out.

    Of each film the first `seconds` of its most seen face count, and shorter films not at all: some cues' measures grow
    with time, and how long a film is tells where it comes from. Raises `DataError` for files that are not what they
    should be, and for a scan without evidence.
    """
    found = [clip for row, said in films(scan, labels) if (clip := _clip(row, said, seconds)) is not None]
    if not found:
        raise DataError(f"{scan} holds no evidence on {seconds:g} s of films of {labels}: scan them with --evidence")
    return found


def films(scan: Path, labels: Path) -> Iterator[tuple[Mapping[str, str], list[Line]]]:
    """Row of labels.csv and lines of each film that was scanned; no pictures, no whole-frame copies, nothing unknown.

    Raises `DataError` for files that are not what they should be.
    """
    with labels.open(newline="", encoding="utf-8") as lines:
        rows = {row["path"]: row for row in csv.DictReader(lines)}
    for name, said in _by_file(scan):
        parts = Path(name).parts
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        row = next((rows[end] for end in ends if end in rows), None)
        if row is not None and is_film(row["path"]) and row.get("view") != WHOLE_FRAME:
            yield row, said


def _by_file(scan: Path) -> Iterator[tuple[str, list[Line]]]:
    """Lines of one file stand together; its summary is the last of them."""
    said: list[Line] = []
    try:
        with scan.open(encoding="utf-8") as lines:
            for line in filter(str.strip, lines):
                event: Line = json.loads(line)
                said.append(event)
                if event["event"] in {"summary", "error"}:
                    yield str(event["file"]), said
                    said = []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{scan} cannot be read as the output of `lifesign scan --evidence`: {error}") from error


def _clip(row: Mapping[str, str], said: Sequence[Line], seconds: float) -> Clip | None:
    evidence = [line for line in said if line["event"] == "evidence"]
    if not evidence:
        return None
    (most_seen, _), = Counter(line["track"] for line in evidence).most_common(1)  # fmt: skip
    seen = [line for line in evidence if line["track"] == most_seen]
    since_s = [float(line["media_s"]) - float(seen[0]["media_s"]) for line in seen]
    if since_s[-1] < seconds - LOOK_S - SLACK_S:
        return None
    alerted = said[-1].get("first_alert_s") is not None
    words = _words(line for line, at_s in zip(seen, since_s, strict=True) if at_s < seconds - SLACK_S)
    return Clip(row["path"], row["label"], row["method"], row["identity"], row["repo"], alerted, words)


def _words(evidence: Iterable[Line]) -> dict[str, Word]:
    by_cue: dict[str, list[Line]] = {}
    for line in evidence:
        by_cue.setdefault(str(line["cue"]), []).append(line)
    return {cue: _word(lines) for cue, lines in sorted(by_cue.items())}


def _word(lines: Sequence[Line]) -> Word:
    measures = [float(line["measure"]) for line in lines if line["measure"] is not None]
    spoke = [line["reliability"] > 0.0 for line in lines]
    accused = [line["reliability"] > 0.0 and line["llr_nats"] > 0.0 for line in lines]
    measure = float(np.mean(measures)) if measures else None
    return Word(measure, len(lines), float(np.mean(spoke)), float(np.mean(accused)))
