# SPDX-License-Identifier: Apache-2.0
"""Footage, a recipe's sizes and a seed in, an endless reproducible stream of paired batches out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from models.data.crops import Footage
from models.data.making import Making
from models.data.pairs import Pair, make_pair
from models.forgeries.mix import ATTACK
from models.networks.stream import ATTACKS

__all__ = ["FOREIGN", "Batch", "BatchStream", "Shape", "collate"]

FOREIGN: Final = "open:"
"""How the kinds of forgeries that others made begin, followed by the kind of attack: where they blend is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """`clips` uint8 [2 P, T, S, S, 3]: P real clips, then their forged twins in the same order; `boundary` float32
    [P, T, S/8, S/8] of the forged; `attack` int64 [P] counts in `ATTACKS`; `quality` float32 [P, 4]; `kinds` names the
    P forgeries.
    """

    clips: Tensor
    boundary: Tensor
    attack: Tensor
    quality: Tensor
    kinds: tuple[str, ...]

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        if device.type == "cpu":
            return self
        clips, boundary, attack, quality = (
            value.to(device, non_blocking=True) for value in (self.clips, self.boundary, self.attack, self.quality)
        )
        return Batch(clips, boundary, attack, quality, self.kinds)


@dataclass(frozen=True, slots=True)
class Shape:
    """A batch's size: `pairs` clips and their twins, `frames` each, from films or from portraits."""

    pairs: int
    frames: int
    films: bool


def collate(pairs: Sequence[Pair]) -> Batch:
    """Put pairs of equal length together."""
    clips = np.stack([pair.real for pair in pairs] + [pair.fake for pair in pairs])
    boundary = np.stack([pair.boundary for pair in pairs])
    attack = torch.tensor([ATTACKS.index(_attack(pair.kind)) for pair in pairs])
    quality = torch.from_numpy(np.stack([pair.quality for pair in pairs]))
    return Batch(
        torch.from_numpy(clips), torch.from_numpy(boundary), attack, quality, tuple(pair.kind for pair in pairs)
    )


def _attack(kind: str) -> str:
    return kind.removeprefix(FOREIGN) if kind.startswith(FOREIGN) else ATTACK[kind]


class BatchStream(IterableDataset[Batch]):
    """Batch number n depends on the seed and n alone, so that a resumed run goes on with the same data."""

    def __init__(
        self,
        footage: Sequence[Footage],
        shapes: Sequence[Shape],
        seed: int,
        *,
        first: int = 0,
        stride: int = 1,
        grey_share: float = 0.5,
        making: Making | None = None,
    ) -> None:
        self.footage = list(footage)
        self.shapes = tuple(shapes)
        self.seed = seed
        self.making = making or Making()
        self.first = first
        self.stride = stride
        self.grey_share = grey_share
        self.films = _people([one for one in footage if one.frames > 1])
        self.portraits = _people([one for one in footage if one.frames == 1 and not one.grey])
        self.grey_portraits = _people([one for one in footage if one.frames == 1 and one.grey])

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches from `first` on, every `stride`-th (one process of several), shared out among the workers."""
        cv2.setNumThreads(1)
        worker = get_worker_info()
        own, among = (0, 1) if worker is None else (worker.id, worker.num_workers)
        number = self.first + own * self.stride
        while True:
            yield self.batch(number)
            number += among * self.stride

    def batch(self, number: int) -> Batch:
        """Make batch `number`."""
        rng = np.random.default_rng((self.seed, number))
        shape = self.shapes[number % len(self.shapes)]
        drawn = (self._draw(rng, films=shape.films) for _ in range(shape.pairs))
        return collate([make_pair(target, self.footage, shape.frames, rng, self.making) for target in drawn])

    def _draw(self, rng: np.random.Generator, *, films: bool) -> Footage:
        """Draw a person, then one of the person's files; grey pictures are drawn at their set share."""
        grey = rng.random() < self.grey_share
        wanted = self.films if films else self.grey_portraits if grey else self.portraits
        people = wanted or self.portraits or self.films or self.grey_portraits
        owned = people[int(rng.integers(len(people)))]
        return owned[int(rng.integers(len(owned)))]


def _people(footage: Sequence[Footage]) -> list[list[Footage]]:
    """Group files by person, so that people are drawn evenly, not frames."""
    grouped: dict[str, list[Footage]] = {}
    for one in footage:
        grouped.setdefault(one.identity, []).append(one)
    return [grouped[name] for name in sorted(grouped)]
