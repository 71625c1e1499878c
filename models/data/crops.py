# SPDX-License-Identifier: Apache-2.0
"""Exported face crops in, clips with identity and label in memory out."""

import csv
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.licences import refuse_forbidden
from models.errors import DataError
from models.forgeries.clip import Clip, Pixels

__all__ = ["Footage", "is_film", "load_footage", "read_index"]

POINTS: Final = 478
FILMS: Final = (".mp4", ".mkv", ".webm", ".mov", ".avi")
GREY_SPREAD: Final = 3.0
"""Mean difference of the colour channels, in grey levels, under which a picture counts as grey."""


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """All crops of one source file: `rgb` uint8 [T, S, S, 3], `points` float32 [T, 478, 2], `media_s` and `face_px`
    float32 [T], whether each crop is `judgeable` bool [T], and the label row it came with.
    """

    rgb: Pixels
    points: NDArray[np.float32]
    media_s: NDArray[np.float32]
    face_px: NDArray[np.float32]
    judgeable: NDArray[np.bool_]
    row: dict[str, str]
    grey: bool

    @property
    def identity(self) -> str:
        """Who is shown, as a key; never a name to report."""
        return self.row["identity"]

    @property
    def frames(self) -> int:
        """Number of crops."""
        return int(self.rgb.shape[0])

    def clip(self, chosen: Sequence[int] | NDArray[np.int64]) -> Clip:
        """Cut out some frames."""
        index = np.asarray(chosen)
        return Clip(self.rgb[index], self.points[index])


def is_film(path: str) -> bool:
    """Whether a file is a film, by its name."""
    return path.lower().endswith(FILMS)


def read_index(file: Path) -> list[dict[str, str]]:
    """Read the table that the export wrote beside the crops; rows without crops are left out."""
    if not file.is_file():
        raise DataError(f"no index of crops at {file}: export the footage first (python -m monitor.export)")
    with file.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["file"]]
    if not rows:
        raise DataError(f"{file} lists no crops: the export found no face, or its folder is empty")
    return rows


def load_footage(
    folder: Path,
    split: str,
    *,
    for_training: bool,
    least_px: float = 0.0,
    crop_px: int | None = None,
    allowed: Collection[str] = (),
) -> list[Footage]:
    """Load every exported crop of a split; faces smaller than `least_px` throughout are left out.

    Pictures exported for larger crops than `crop_px` are scaled down to it.

    Raises `DataError` for missing or damaged files, and when `for_training` for a licence that forbids training and is
    not `allowed` by name.
    """
    rows = read_index(folder / f"{split}.csv")
    if for_training:
        refuse_forbidden(rows, split, allowed)
    loaded = [scaled(load_crops(folder / row["file"], row), crop_px) for row in rows]
    kept = [footage for footage in loaded if float(footage.face_px.max()) >= least_px]
    if not kept:
        raise DataError(f"no face in {folder}/{split} is at least {least_px:g} px wide")
    return kept


def scaled(footage: Footage, crop_px: int | None) -> Footage:
    """Scale exported pictures down to another crop side; raises `DataError` where they would have to grow."""
    side, wanted = footage.rgb.shape[1], footage.rgb.shape[1] if crop_px is None else crop_px * 3 // 2
    if wanted == side:
        return footage
    if wanted > side:
        raise DataError(f"crops were exported for {side * 2 // 3} px, {crop_px} px are wanted: export them again")
    small = np.stack([cv2.resize(rgb, (wanted, wanted), interpolation=cv2.INTER_AREA) for rgb in footage.rgb])
    return replace(footage, rgb=small.astype(np.uint8), points=footage.points * np.float32(wanted / side))


def load_crops(file: Path, row: dict[str, str]) -> Footage:
    """Load one exported file and check its shapes."""
    try:
        with file.open("rb") as source, np.load(source) as stored:
            rgb, points = stored["rgb"], stored["points"]
            media_s, face_px = stored["media_s"], stored["face_px"]
            judgeable = np.array([not words for words in stored["reasons"]]) if "reasons" in stored else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{file} cannot be read as exported crops ({error}): export it again") from error
    frames = len(rgb)
    if frames == 0 or rgb.dtype != np.uint8 or rgb.ndim != 4 or points.shape != (frames, POINTS, 2):
        raise DataError(f"{file} does not hold crops with landmarks: export it again")
    spread = np.abs(rgb[0].astype(np.int16) - rgb[0].mean(axis=2, keepdims=True)).mean()
    if judgeable is None:
        judgeable = np.ones(frames, np.bool_)
    return Footage(rgb, points, media_s, face_px, judgeable, row, bool(spread < GREY_SPREAD))
