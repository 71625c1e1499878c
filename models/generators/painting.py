# SPDX-License-Identifier: Apache-2.0
"""A generator and upright squares of one face over time in, the same squares painted by it out."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.forgeries.clip import Pixels
from models.forgeries.regions import RIGID
from models.forgeries.warp import fit_similarity, thin_plate
from models.generators.align import lower_half, move
from models.generators.autoencoder import Autoencoder
from models.generators.inputs import HANDLES, mouth_input, reenact_input, to_pixels, to_tensor, unsettled
from models.generators.store import Generator

__all__ = ["Manner", "draw_manner", "paint"]

BEND: Final = 0.015
BLIND_SHARE: Final = 0.3
RETIMED_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Manner:
    """How a clip is painted: by which `decoder`; from which frame a reenactor takes the face, and which bend it has to
    mend (`seed`); how many frames `late` a mouth is; `blind`: a mouth painter is shown no other moment.
    """

    decoder: int
    key: int
    late: int
    blind: bool
    seed: int


def draw_manner(generator: Generator, frames: int, rng: np.random.Generator) -> Manner:
    """Draw it, once for a clip."""
    retimed = frames > 1 and rng.random() < RETIMED_SHARE
    return Manner(
        decoder=int(rng.integers(generator.variant.decoders)),
        key=int(rng.integers(frames)),
        late=int(rng.integers(1, frames)) if retimed else 0,
        blind=bool(rng.random() < BLIND_SHARE),
        seed=int(rng.integers(2**31)),
    )


def paint(generator: Generator, squares: Pixels, points: NDArray[np.float32], manner: Manner) -> Pixels:
    """Paint squares uint8 [T, S, S, 3], S a multiple of 16, with landmarks float32 [T, 478, 2] in them."""
    network, task = generator.network, generator.variant.task
    with torch.inference_mode():
        if isinstance(network, Autoencoder):
            return to_pixels(network(_last(to_tensor(squares)), manner.decoder))
        if task == "reenact":
            return to_pixels(network(_last(torch.from_numpy(_reenacted(squares, points, manner)))))
        return _mouths(network, squares, points, manner)


def _reenacted(squares: Pixels, points: NDArray[np.float32], manner: Manner) -> NDArray[np.float32]:
    """Warp the key frame, bent a little, onto every frame's landmarks."""
    key, side = manner.key, squares.shape[1]
    bent = unsettled(points[key], np.random.default_rng(manner.seed), BEND, side)
    source = thin_plate(squares[key], points[key][HANDLES], bent[HANDLES])
    return np.stack([reenact_input(source, bent, target) for target in points])


def _mouths(network: torch.nn.Module, squares: Pixels, points: NDArray[np.float32], manner: Manner) -> Pixels:
    """Paint the lower half after the lips of another moment; the rest of each square stays as it is."""
    side, frames = squares.shape[1], len(squares)
    moments = [(index + manner.late) % frames for index in range(frames)]
    targets = [_spoken(points[index], points[moment]) for index, moment in enumerate(moments)]
    regions = [
        np.maximum(lower_half(own, side), lower_half(new, side)) for own, new in zip(points, targets, strict=True)
    ]
    shown = None if manner.blind else squares[manner.key]
    inputs = [mouth_input(*known, shown) for known in zip(squares, targets, regions, strict=True)]
    painted = to_pixels(network(_last(torch.from_numpy(np.stack(inputs)))))
    return np.where(np.stack(regions)[..., None] > 0, painted, squares)


def _spoken(own: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring another moment's landmarks into place by the points that talking hardly moves."""
    return move(other, fit_similarity(other[list(RIGID)], own[list(RIGID)]))


def _last(inputs: torch.Tensor) -> torch.Tensor:
    return inputs.contiguous(memory_format=torch.channels_last)
