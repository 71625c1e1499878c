# SPDX-License-Identifier: Apache-2.0
"""Clips on the wrong side and their footage in, a picture with a row of crops for each out; it shows people."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.data.crops import Footage
from models.data.pairs import central_crop
from models.errors import DataError
from models.evaluation.misses import Wrong
from models.evaluation.people import person_key
from models.forgeries.clip import Pixels

__all__ = ["row", "sheet", "write_sheet"]

CROPS: Final = 6
CROP_PX: Final = 128
CAPTION_PX: Final = 300
LINE_PX: Final = 20
INK: Final = (235, 235, 235)
Find = Callable[[str, str], Footage | None]


def sheet(wrong: Sequence[Wrong], find: Find) -> Pixels:
    """One row a clip, RGB uint8 [rows x 128, W, 3]; raises `DataError` when none of the clips has footage."""
    rows = [
        row(one, footage)
        for one in wrong
        if (footage := find(one.prediction.path, one.prediction.condition)) is not None
    ]
    if not rows:
        raise DataError("none of the clips has footage here: name the folders that were judged with --crops")
    return np.vstack(rows)


def row(one: Wrong, footage: Footage) -> Pixels:
    """Caption and crops at even distances, RGB uint8 [128, W, 3]."""
    index = np.linspace(0, footage.frames - 1, CROPS).round().astype(int)
    crops = central_crop(footage.rgb[index])
    pictures = [cv2.resize(crop, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA) for crop in crops]
    return np.hstack([_caption(one), *(np.asarray(picture, np.uint8) for picture in pictures)])


def write_sheet(file: Path, wrong: Sequence[Wrong], find: Find) -> None:
    """Write the sheet as PNG; keep it to yourself."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(file), cv2.cvtColor(sheet(wrong, find), cv2.COLOR_RGB2BGR)):
        raise DataError(f"{file} cannot be written")


def _caption(one: Wrong) -> Pixels:
    said = one.prediction
    lines = (
        f"{said.label} {said.method}"[:38],
        said.repo[:38],
        f"person {person_key(said.identity)}, {said.condition}",
        f"logit {said.score:.2f} ({min(said.logits):.1f} to {max(said.logits):.1f})",
        ", ".join(one.odd),
    )
    picture = np.zeros((CROP_PX, CAPTION_PX, 3), np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(picture, line, (6, LINE_PX * (number + 1)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, INK, 1, cv2.LINE_AA)
    return picture
