# SPDX-License-Identifier: Apache-2.0
"""Exported footage and a network in, each file's readings out, and back from the table that holds them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.data.crops import Footage, is_film, load_crops, read_index
from models.errors import DataError
from models.pad.network import WIDE_PX, PadNetwork, attack_logit

__all__ = ["READINGS", "Read", "judge", "read_table", "write_table"]

READINGS: Final = 5
"""Readings that the cue averages; a clip's worst is the highest such mean."""

LOOKS_PER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Read:
    """One file's readings: log-odds of an attack `logits` and a screen's share `replay`, one a second of film; beside
    them what needs no learning, `sharpness` (standard deviation of the Laplacian) and `brightness` 0..255.
    """

    path: str
    label: str
    method: str
    identity: str
    source: str
    film: bool
    logits: tuple[float, ...]
    replay: tuple[float, ...]
    sharpness: float
    brightness: float

    @property
    def mean(self) -> float:
        """Mean of all readings."""
        return float(np.mean(self.logits))

    @property
    def worst(self) -> float:
        """Highest mean of `READINGS` in a row, of all where there are fewer."""
        count = min(READINGS, len(self.logits))
        sums = np.convolve(self.logits, np.ones(count), "valid")
        return float(sums.max()) / count


def judge(folder: Path, split: str, network: PadNetwork, *, films_only: bool = False) -> Iterator[Read]:
    """Judge a split's exported files; raises `DataError` for a damaged one.

    Pictures are judged whatever their quality, films where they may be judged at all.
    """
    for row in read_index(folder / f"{split}.csv"):
        if is_film(row["path"]) or not films_only:
            footage = load_crops(folder / row["file"], row)
            if is_film(row["path"]) and not footage.judgeable.any():
                continue
            yield _read(footage, network)


def write_table(file: Path, reads: Iterable[Read]) -> None:
    """Write one line of JSON for each file."""
    with file.open("w", encoding="utf-8") as lines:
        for one in reads:
            lines.write(json.dumps(asdict(one)) + "\n")


def read_table(file: Path) -> list[Read]:
    """Read what `write_table` wrote; raises `DataError` for anything else."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        stored = [json.loads(line) for line in lines]
        return [Read(**one | {"logits": tuple(one["logits"]), "replay": tuple(one["replay"])}) for one in stored]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{file} is no table of readings: {error}") from error


@torch.inference_mode()
def _read(footage: Footage, network: PadNetwork) -> Read:
    wide = np.stack([_fitted(footage.rgb[index]) for index in _looked_at(footage)])
    logits = network(torch.from_numpy(wide))
    grey = [cv2.cvtColor(rgb[32:-32, 32:-32], cv2.COLOR_RGB2GRAY) for rgb in wide]
    row = footage.row
    return Read(
        path=row["path"],
        label=row["label"],
        method=row["method"],
        identity=row["identity"],
        source=row["repo"],
        film=is_film(row["path"]),
        logits=tuple(round(float(value), 4) for value in attack_logit(logits)),
        replay=tuple(round(float(value), 4) for value in torch.softmax(logits[:, 1:], dim=1)[:, 0]),
        sharpness=float(np.mean([cv2.Laplacian(one, cv2.CV_32F).std() for one in grey])),
        brightness=float(np.mean([one.mean() for one in grey])),
    )


def _looked_at(footage: Footage) -> list[int]:
    """Frames as the service picks them: the first that may be judged, then about one a second."""
    usable = np.flatnonzero(footage.judgeable) if is_film(footage.row["path"]) else np.arange(footage.frames)
    chosen: list[int] = []
    for index in usable:
        if not chosen or footage.media_s[index] - footage.media_s[chosen[-1]] >= 0.95 / LOOKS_PER_S:
            chosen.append(int(index))
    return chosen


def _fitted(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring an exported picture, 1.5 x the run-time crop, to the network's side."""
    return np.asarray(cv2.resize(rgb, (WIDE_PX, WIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)
