# SPDX-License-Identifier: Apache-2.0
"""Exported films in, their first seconds in memory out: enough to judge by, without the memory of all of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.data.crops import Footage, is_film, load_crops, read_index, scaled
from models.errors import DataError

__all__ = ["beginning", "load_films"]

Row = dict[str, str]


def load_films(
    folder: Path, split: str, seconds: float, crop_px: int, wanted: Callable[[Row], bool] = lambda row: True
) -> list[Footage]:
    """Load the first `seconds` of every exported film whose row is wanted, scaled to crops of `crop_px`.

    Raises `DataError` where there is none.
    """
    rows = [row for row in read_index(folder / f"{split}.csv") if is_film(row["path"]) and wanted(row)]
    films = [beginning(scaled(load_crops(folder / row["file"], row), crop_px), seconds) for row in rows]
    if not films:
        raise DataError(f"{folder}/{split}.csv lists no film of the wanted kind: export the footage first")
    return films


def beginning(footage: Footage, seconds: float) -> Footage:
    """Keep the first `seconds`, at least one frame, in memory of their own."""
    kept = max(1, int(np.searchsorted(footage.media_s, footage.media_s[0] + seconds)))
    return replace(
        footage,
        rgb=footage.rgb[:kept].copy(),
        points=footage.points[:kept].copy(),
        media_s=footage.media_s[:kept].copy(),
        face_px=footage.face_px[:kept].copy(),
        judgeable=footage.judgeable[:kept].copy(),
    )
