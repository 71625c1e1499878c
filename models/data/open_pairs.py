# SPDX-License-Identifier: Apache-2.0
"""Fakes of other makers and bona fide footage in, batches out that mix them with self-made forgeries.

A foreign fake has no twin to learn from (validation originals are never learnt from), so it is paired with a bona fide
film of the training split. What tells their sources apart is hidden as well as it can be: each goes through a chain of
its own first, then both are made equally sharp and go through one chain together.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.data.batches import FOREIGN, Batch, BatchStream, Shape, collate
from models.data.crops import Footage
from models.data.damage import draw_damage
from models.data.making import Making
from models.data.open_fakes import ATTACK_OF
from models.data.pairs import CELL_PX, Pair, blurred, crop_px_of, draw_clip, draw_views, view
from models.errors import DataError
from models.forgeries.clip import Clip, Pixels
from models.learning.recipe import Recipe

__all__ = ["OpenStream", "open_pair"]

OPEN_SHARE: Final = 1 / 3
"""Most of a batch that may be foreign: self-made forgeries teach what is not bound to a few sources."""

OWN_CHAIN_SHARE: Final = 0.7


def open_pair(
    fake: Footage, partners: Sequence[Footage], frames: int, rng: np.random.Generator, making: Making
) -> Pair:
    """Pair a foreign fake with a bona fide film, of its own source if there is one; no boundary is known.

    `partners` are bona fide films of the training split; raises `DataError` without any.
    """
    partner = _draw_partner(fake, partners, rng)
    real_clip, fake_clip = draw_clip(partner, frames, rng), draw_clip(fake, frames, rng)
    widths_px = _face_px(partner), _face_px(fake)
    real = _own_chain(real_clip.rgb, rng, making, widths_px[0])
    forged = _own_chain(fake_clip.rgb, rng, making, widths_px[1])
    if rng.random() < making.matched_share:
        real, forged = blurred(real, forged), blurred(forged, real)
    damage = draw_damage(rng, grey=fake.grey or partner.grey, face_px=min(widths_px), codec=making.codec)
    cells = crop_px_of(real_clip.side_px) // CELL_PX
    return Pair(
        _seen(damage.apply(real), real_clip, rng),
        _seen(damage.apply(forged), fake_clip, rng),
        np.zeros((frames, cells, cells), np.float32),
        FOREIGN + ATTACK_OF[fake.row["label"]],
        damage.quality,
    )


class OpenStream(BatchStream):
    """A stream of self-made forgeries in which up to `share` of every batch are foreign fakes, people drawn evenly."""

    def __init__(
        self, footage: Sequence[Footage], fakes: Sequence[Footage], recipe: Recipe, seed: int, share: float = OPEN_SHARE
    ) -> None:
        own = tuple(replace(shape, pairs=shape.pairs - _foreign(shape, share)) for shape in recipe.shapes)
        super().__init__(footage, own, seed, grey_share=recipe.grey_share, making=recipe.making)
        self.foreign = tuple(_foreign(shape, share) for shape in recipe.shapes)
        self.partners = [one for one in footage if one.frames > 1]
        by_method: dict[tuple[str, str], list[Footage]] = {}
        for one in fakes:
            by_method.setdefault((one.row["repo"], one.row["method"]), []).append(one)
        self.methods = [by_method[name] for name in sorted(by_method)]

    def batch(self, number: int) -> Batch:
        """Make batch `number`: self-made pairs, then foreign ones."""
        own = super().batch(number)
        place = number % len(self.shapes)
        if self.foreign[place] == 0 or not self.methods:
            return own
        rng = np.random.default_rng((self.seed, number, 1))
        drawn = (self._draw_fake(rng) for _ in range(self.foreign[place]))
        frames = self.shapes[place].frames
        return _joined(own, collate([open_pair(one, self.partners, frames, rng, self.making) for one in drawn]))

    def _draw_fake(self, rng: np.random.Generator) -> Footage:
        """Draw a method, then one of its files, so that the source with the most files does not decide."""
        files = self.methods[int(rng.integers(len(self.methods)))]
        return files[int(rng.integers(len(files)))]


def _foreign(shape: Shape, share: float) -> int:
    return int(shape.pairs * share)


def _draw_partner(fake: Footage, partners: Sequence[Footage], rng: np.random.Generator) -> Footage:
    if not partners:
        raise DataError("no bona fide films to pair foreign fakes with: export the training films")
    fit = [one for one in partners if one.row["repo"] == fake.row["repo"]] or partners
    people = sorted({one.identity for one in fit})
    chosen = people[int(rng.integers(len(people)))]
    owned = [one for one in fit if one.identity == chosen]
    return owned[int(rng.integers(len(owned)))]


def _face_px(footage: Footage) -> float:
    return float(np.median(footage.face_px))


def _own_chain(clip: Pixels, rng: np.random.Generator, making: Making, face_px: float) -> Pixels:
    """Colour, noise, scale and compression of one side alone, so that its source's own are not what is learnt."""
    damage = draw_damage(rng, grey=False, face_px=face_px, codec=making.codec)
    return damage.apply(clip) if rng.random() < OWN_CHAIN_SHARE else clip


def _seen(pictures: Pixels, clip: Clip, rng: np.random.Generator) -> NDArray[np.uint8]:
    return view(pictures, draw_views(clip, rng), flip=bool(rng.random() < 0.5))


def _joined(first: Batch, second: Batch) -> Batch:
    """Put two batches together, originals first, then forgeries."""
    sizes = len(first.kinds), len(second.kinds)
    values: dict[str, Any] = {}
    for field in fields(Batch):
        one, other = getattr(first, field.name), getattr(second, field.name)
        values[field.name] = _put_together(one, other, sizes) if isinstance(one, Tensor) else one + other
    return Batch(**values)


def _put_together(first: Tensor, second: Tensor, sizes: tuple[int, int]) -> Tensor:
    if len(first) == sizes[0]:
        return torch.cat((first, second))
    return torch.cat((first[: sizes[0]], second[: sizes[1]], first[sizes[0] :], second[sizes[1] :]))
