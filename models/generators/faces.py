# SPDX-License-Identifier: Apache-2.0
"""Exported crops of real faces in, upright pictures of many people in memory out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from models.data.crops import Footage, load_crops, read_index
from models.data.licences import refuse_forbidden
from models.data.people import split_people
from models.errors import DataError
from models.forgeries.regions import INNER
from models.generators.align import align, move, square

__all__ = ["ROOM", "STORED_PX", "Faces", "gather"]

STORED_PX: Final = 176
ROOM: Final = 1.375
"""Side of the stored pictures relative to the generators' square, so that squares can be cut off-centre and turned."""

LEAST_FACE_PX: Final = 96.0
FILM_FRAMES: Final = 14
GREY_SHARE: Final = 0.2
"""Share of the grey portraits that are looked at: colour is the rule in calls."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """`pictures` uint8 [N, 176, 176, 3], `points` float32 [N, 478, 2] in them, `people` int64 [N]; one row of `starts`
    for each file: frames `starts[k]` to `starts[k + 1]` are of one film, or one portrait.
    """

    pictures: NDArray[np.uint8]
    points: NDArray[np.float32]
    people: NDArray[np.int64]
    starts: NDArray[np.int64]

    def draw(self, rng: np.random.Generator) -> int:
        """Draw a file evenly, then one of its frames."""
        file = int(rng.integers(len(self.starts) - 1))
        return int(rng.integers(self.starts[file], self.starts[file + 1]))

    def beside(self, index: int, rng: np.random.Generator) -> int:
        """Draw another frame of the same file; a portrait has only itself."""
        file = int(np.searchsorted(self.starts, index, side="right")) - 1
        first, behind = int(self.starts[file]), int(self.starts[file + 1])
        if behind - first < 2:
            return index
        return first + (index - first + int(rng.integers(1, behind - first))) % (behind - first)

    def alike(self, groups: int, seed: int) -> list[NDArray[np.int64]]:
        """Divide all frames into groups of people that look alike in colour and shape (k-means); none is empty."""
        looks = np.concatenate([self._colours(), 2.0 * self._shapes()], axis=1)
        looks = (looks - looks.mean(axis=0)) / (looks.std(axis=0) + 1e-6)
        names = np.unique(self.people)
        means = np.stack([looks[self.people == name].mean(axis=0) for name in names])
        _, chosen = kmeans2(means, groups, seed=np.random.default_rng(seed), minit="++")
        members = [np.flatnonzero(np.isin(self.people, names[chosen == group])) for group in range(groups)]
        everybody = np.arange(len(self.people))
        return [group if len(group) else everybody for group in members]

    def _colours(self) -> NDArray[np.float64]:
        middle = self.pictures[:, 70:110, 60:116]
        return np.asarray(middle.reshape(len(middle), -1, 3).mean(axis=1), np.float64)

    def _shapes(self) -> NDArray[np.float64]:
        inner = self.points[:, list(INNER)].astype(np.float64)
        flat = (inner - inner.mean(axis=0)).reshape(len(inner), -1)
        _, _, axes = np.linalg.svd(flat, full_matrices=False)
        return np.asarray(flat @ axes[:3].T)


def gather(folder: Path, held_out_share: float, most: int | None = None) -> Faces:
    """Read the `train` split of an export, large enough faces only, people held out for checks left out.

    `most` bounds the number of files, drawn evenly. Raises `DataError` for what cannot be read or must not be learnt
    from.
    """
    rows = read_index(folder / "train.csv")
    refuse_forbidden(rows, "train")
    order = np.random.default_rng(0).permutation(len(rows))
    pictures, points, people, counts = [], [], [], []
    for row in (rows[int(index)] for index in order):
        footage = load_crops(folder / row["file"], row)
        if not _fit(footage) or not split_people([footage], held_out_share)[0]:
            continue
        for index in _chosen(footage):
            matrix = align(footage.points[index], STORED_PX, 1.0 / ROOM)
            pictures.append(square(footage.rgb[index], matrix, STORED_PX))
            points.append(move(footage.points[index], matrix))
            people.append(footage.identity)
        counts.append(len(people))
        if most is not None and len(counts) >= most:
            break
    if not counts:
        raise DataError(f"no face in {folder}/train is large enough: export with larger crops, or add footage")
    numbers = np.unique(people, return_inverse=True)[1].astype(np.int64)
    return Faces(np.stack(pictures), np.stack(points), numbers, np.array([0, *counts], np.int64))


def _fit(footage: Footage) -> bool:
    """Whether a face is large enough; of grey portraits a fixed share is taken, by the name of the file."""
    if float(footage.face_px.max()) < LEAST_FACE_PX:
        return False
    return not footage.grey or sum(footage.row["file"].encode()) % 100 < 100 * GREY_SHARE


def _chosen(footage: Footage) -> NDArray[np.int64]:
    usable = np.flatnonzero(footage.judgeable) if footage.judgeable.any() else np.arange(footage.frames)
    places = np.linspace(0, len(usable) - 1, min(FILM_FRAMES, len(usable)))
    return usable[places.round().astype(np.int64)]
