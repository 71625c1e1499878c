# SPDX-License-Identifier: Apache-2.0
"""Faces and a random state in, one batch to learn from out: what each family of generators is asked to paint."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.forgeries.clip import Pixels
from models.forgeries.warp import about, thin_plate
from models.generators.align import lower_half, move, square
from models.generators.faces import ROOM, STORED_PX, Faces
from models.generators.inputs import HANDLES, mouth_input, reenact_input, to_tensor, unsettled

__all__ = ["TASKS", "Lesson", "Task"]

SQUARE_PX: Final = round(STORED_PX / ROOM)
"""Side of the generators' square in the stored pictures."""

LEVEL_DEG: Final = 3.0
LOOSE_DEG: Final = 7.0
LOOSE_SCALES: Final = (0.72, 1.25)
BEND: Final = 0.02
"""How far landmarks are moved at random, in shares of the side."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """How many `pictures` of which side; `groups` of frames, one per decoder, where each has people of its own."""

    pictures: int
    side_px: int
    groups: Sequence[NDArray[np.int64]] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """`inputs` float [N, C, S, S] and `target` float [N, 3, S, S] in -1..1; only `region` [N, 1, S, S] is painted."""

    inputs: Tensor
    target: Tensor
    region: Tensor


Task = Callable[[Faces, Wanted, np.random.Generator], Lesson]


def copy_faces(faces: Faces, wanted: Wanted, rng: np.random.Generator) -> Lesson:
    """Paint the same picture, at any size and turn: the whole picture of a face."""
    pictures = [_view(faces, faces.draw(rng), wanted.side_px, rng, loose=True)[0] for _ in range(wanted.pictures)]
    target = to_tensor(np.stack(pictures))
    return Lesson(target, target, torch.ones_like(target[:, :1]))


def swap_faces(faces: Faces, wanted: Wanted, rng: np.random.Generator) -> Lesson:
    """Straighten a face bent out of shape; each decoder sees the people of one group only, in order of the batch."""
    inputs, targets = [], []
    for group in wanted.groups:
        for index in rng.choice(group, wanted.pictures // len(wanted.groups)):
            picture, points = _view(faces, int(index), wanted.side_px, rng, loose=False)
            targets.append(picture)
            inputs.append(_bent(picture, points, rng))
    target = to_tensor(np.stack(targets))
    return Lesson(to_tensor(np.stack(inputs)), target, torch.ones_like(target[:, :1]))


def reenact_faces(faces: Faces, wanted: Wanted, rng: np.random.Generator) -> Lesson:
    """Mend a picture of the same person that was warped onto this moment's landmarks."""
    inputs, targets = [], []
    for _ in range(wanted.pictures):
        index = faces.draw(rng)
        picture, points = _view(faces, index, wanted.side_px, rng, loose=False)
        other = faces.beside(index, rng)
        source, source_points = _view(faces, other, wanted.side_px, rng, loose=False)
        if other == index:
            bent = unsettled(points, rng, 1.5 * BEND, wanted.side_px)
            source, source_points = thin_plate(picture, points[HANDLES], bent[HANDLES]), bent
        inputs.append(reenact_input(source, source_points, points))
        targets.append(picture)
    target = to_tensor(np.stack(targets))
    return Lesson(torch.from_numpy(np.stack(inputs)), target, torch.ones_like(target[:, :1]))


def paint_mouths(faces: Faces, wanted: Wanted, rng: np.random.Generator) -> Lesson:
    """Fill in the lower half from its outlines and another moment (Prajwal et al., Wav2Lip, 2020)."""
    inputs, targets, regions = [], [], []
    for _ in range(wanted.pictures):
        index = faces.draw(rng)
        picture, points = _view(faces, index, wanted.side_px, rng, loose=False)
        other = faces.beside(index, rng)
        shown = None if other == index else _view(faces, other, wanted.side_px, rng, loose=False)[0]
        region = lower_half(points, wanted.side_px)
        inputs.append(mouth_input(picture, points, region, shown))
        targets.append(picture)
        regions.append(region[None])
    target = to_tensor(np.stack(targets))
    return Lesson(torch.from_numpy(np.stack(inputs)), target, torch.from_numpy(np.stack(regions)))


TASKS: Final[Mapping[str, Task]] = {
    "copy": copy_faces,
    "swap": swap_faces,
    "reenact": reenact_faces,
    "mouth": paint_mouths,
}


def _view(
    faces: Faces, index: int, side_px: int, rng: np.random.Generator, *, loose: bool
) -> tuple[Pixels, NDArray[np.float32]]:
    """Cut the generators' square about a face, nearly exact; or, `loose`, a window at any scale calls have."""
    turn = float(rng.normal(0.0, LOOSE_DEG if loose else LEVEL_DEG))
    scale = float(rng.uniform(*LOOSE_SCALES) if loose else rng.uniform(0.95, 1.05) * side_px / SQUARE_PX)
    reach = max(0.0, STORED_PX * scale - side_px) / 2
    shift = rng.uniform(-reach, reach, 2) if loose else rng.normal(0.0, 0.015 * side_px, 2)
    shift -= (STORED_PX - side_px) / 2
    middle = np.full(2, STORED_PX / 2, np.float32)
    matrix = about(middle, turn, scale, (float(shift[0]), float(shift[1])))
    return square(faces.pictures[index], matrix, side_px), move(faces.points[index], matrix)


def _bent(picture: Pixels, points: NDArray[np.float32], rng: np.random.Generator) -> Pixels:
    moved = unsettled(points, rng, BEND, picture.shape[0])
    return thin_plate(picture, points[HANDLES], moved[HANDLES])
