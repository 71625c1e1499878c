# SPDX-License-Identifier: Apache-2.0
"""Predictions in, those of files that no shipped weights learnt from out."""

import csv
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from models.data.open_fakes import everything
from models.errors import DataError
from models.evaluation.predictions import Prediction

__all__ = ["without_learnt"]


def without_learnt(predictions: Iterable[Prediction], index: Path) -> list[Prediction]:
    """Leave out the openly licensed forgeries, which the weights that ship may have learnt from.

    `index` is a labels.csv or the index of an export. A file sent through a codec counts as the one it was made from.
    Raises `DataError` when the index cannot be read.
    """
    try:
        with index.open(newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["split"] == "val"]
        learnt = {_stem(path) for path in everything(rows).paths}
    except (OSError, KeyError) as error:
        raise DataError(f"{index} cannot be read as labels: {error}") from error
    return [one for one in predictions if _stem(one.path) not in learnt]


def _stem(path: str) -> PurePosixPath:
    return PurePosixPath(path).with_suffix("")
