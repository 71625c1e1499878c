# SPDX-License-Identifier: Apache-2.0
"""Folders of exported crops in, their footage one file at a time out, with what the tables want to know of each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.data.crops import Footage, load_crops, read_index, scaled
from models.data.people import is_held_out
from models.errors import DataError
from models.learning.recipe import Recipe

__all__ = ["HELD_OUT", "find", "stream"]

HELD_OUT = "held_out"
"""The people of the training split that no step ever saw."""


def stream(folders: Sequence[Path], split: str, crop_px: int, data: Path | None = None) -> Iterator[Footage]:
    """Give a split's footage, scaled to the network's crop; `data` is where the files lie whose bitrate is wanted.

    Raises `DataError` for missing or damaged files and for two folders of the same condition.
    """
    seen: set[tuple[str, str]] = set()
    for folder in folders:
        for row in read_index(folder / f"{'train' if split == HELD_OUT else split}.csv"):
            key = row["path"], row.get("condition", "")
            if key in seen:
                raise DataError(f"{row['path']} was exported twice in the same condition: name each folder once")
            seen.add(key)
            if split != HELD_OUT or is_held_out(row["identity"], Recipe().held_out_share):
                yield _load(folder, row, crop_px, data)


def find(folders: Sequence[Path], split: str, path: str, condition: str) -> Footage | None:
    """The footage of one file as it was exported in `condition`, or in none of its own."""
    for folder in folders:
        for row in read_index(folder / f"{split}.csv"):
            if row["path"] == path and row.get("condition") in {None, "", condition}:
                return load_crops(folder / row["file"], row)
    return None


def _load(folder: Path, row: dict[str, str], crop_px: int, data: Path | None) -> Footage:
    loaded = scaled(load_crops(folder / row["file"], row), crop_px)
    return replace(loaded, row=row | _weights(folder / row["file"]) | _bitrate(row, data))


def _weights(file: Path) -> dict[str, str]:
    with np.load(file) as stored:
        return {"weights": " ".join(f"{value:.3f}" for value in stored["weight"])} if "weight" in stored else {}


def _bitrate(row: dict[str, str], data: Path | None) -> dict[str, str]:
    """What a call sent, or the bits per second of the file as it lies there."""
    if row.get("sent_kbps"):
        return {"kbit_s": row["sent_kbps"]}
    if data is None or float(row.get("seconds") or 0) <= 0 or not (data / row["path"]).is_file():
        return {}
    return {"kbit_s": f"{(data / row['path']).stat().st_size * 8e-3 / float(row['seconds']):.1f}"}
