# SPDX-License-Identifier: Apache-2.0
"""The summary lines of `lifesign scan --json` and the labels in, predictions out."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from models.data.crops import is_film
from models.errors import DataError
from models.evaluation.predictions import Prediction

__all__ = ["ScanCounts", "read_scan"]

WHOLE_FRAME: Final = "full"


class ScanCounts(dict[str, int]):
    """How many files were judged, abstained from, alerted, and not known to the labels."""


def read_scan(file: Path, labels: Path) -> tuple[list[Prediction], ScanCounts]:
    """Join summaries with labels.csv by the end of the path; files without a score count as abstained.

    Whole-frame copies of clips are counted, but are no further samples: the figures leave them out.
    """
    with labels.open(newline="") as lines:
        rows = {row["path"]: row for row in csv.DictReader(lines)}
    counts = ScanCounts(judged=0, abstained=0, alerted=0, alerted_real=0, real=0, unknown=0)
    predictions = []
    for summary in _summaries(file):
        row = rows.get(_known(str(summary["file"]), rows))
        if row is None:
            counts["unknown"] += 1
            continue
        _count(counts, summary, row)
        if summary["score"] is not None and row.get("view") != WHOLE_FRAME:
            predictions.append(_prediction(summary, row))
    return predictions, counts


def _summaries(file: Path) -> Iterator[dict[str, Any]]:
    try:
        for line in file.read_text(encoding="utf-8").splitlines():
            event = json.loads(line) if line.strip() else {}
            if event.get("event") == "summary":
                yield event
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{file} cannot be read as the output of `lifesign scan --json`: {error}") from error


def _known(path: str, rows: dict[str, dict[str, str]]) -> str:
    parts = Path(path).parts
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((end for end in ends if end in rows), "")


def _count(counts: ScanCounts, summary: dict[str, Any], row: dict[str, str]) -> None:
    alerted = summary["state"] == "alert"
    real = row["label"] == "real"
    counts["judged" if summary["score"] is not None else "abstained"] += 1
    counts["alerted"] += alerted
    counts["real"] += real
    counts["alerted_real"] += alerted and real


def _prediction(summary: dict[str, Any], row: dict[str, str]) -> Prediction:
    return Prediction(
        path=row["path"],
        label=row["label"],
        method=row["method"],
        identity=row["identity"],
        repo=row["repo"],
        pair=row["pair"],
        condition="scan",
        film=is_film(row["path"]),
        logits=(float(summary["score"]),),
        face_px=(0.0,),
        sharpness=(0.0,),
    )
