# SPDX-License-Identifier: Apache-2.0
"""Footage of real faces in, a trained network out; twins are made while the first pass learns and kept for the next."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from models.data.crops import Footage, load_crops, read_index
from models.data.licences import refuse_forbidden
from models.data.people import is_held_out
from models.errors import TrainingError
from models.learning.average import AveragedWeights
from models.pad.network import PadNetwork, Views, attack_logit
from models.pad.twins import group, make_twins

__all__ = ["Batch", "Recipe", "gather", "learn", "make_batch"]

LEAST_FACE_PX: Final = 72.0
SHIFT_PX: Final = 4
Tell = Callable[[dict[str, float], PadNetwork], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """`pairs` different twins, each seen in `passes` passes, shifted anew each time; `held_out_share` of the
    people are held out, and `checks` batches of them judged after every pass.
    """

    pairs: int = 3600
    passes: int = 5
    batch_pairs: int = 25
    rate: float = 2e-3
    weight_decay: float = 0.02
    smoothing: float = 0.05
    average_decay: float = 0.99
    held_out_share: float = 0.1
    frames_per_film: int = 8
    checks: int = 8
    seed: int = 7
    seen: tuple[str, ...] = Views._fields


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """`wide` uint8 [2 P, 192, 192, 3]: P bona fide pictures, then their attacks; `kinds` int64 [2 P] in `CLASSES`."""

    wide: Tensor
    kinds: Tensor


def gather(folder: Path, recipe: Recipe) -> tuple[list[Footage], list[Footage]]:
    """Load pictures of people to learn from and of people held out, a few frames of each film; raises `DataError`."""
    rows = read_index(folder / "train.csv")
    refuse_forbidden(rows, "train")
    loaded = (_thinned(load_crops(folder / row["file"], row), recipe.frames_per_film) for row in rows)
    kept = [one for one in loaded if float(one.face_px.max()) >= LEAST_FACE_PX]
    held = [one for one in kept if is_held_out(one.identity, recipe.held_out_share)]
    return [one for one in kept if not is_held_out(one.identity, recipe.held_out_share)], held


def make_batch(footage: Sequence[Footage], pairs: int, seed: tuple[int, ...]) -> Batch:
    """Make a batch of twins; the same footage and seed give the same batch."""
    groups = group(footage)
    made = [make_twins(groups, np.random.default_rng((*seed, number))) for number in range(pairs)]
    wide = np.stack([twins.bona_fide for twins in made] + [twins.attack for twins in made])
    kinds = [0] * pairs + [twins.kind for twins in made]
    return Batch(torch.from_numpy(wide), torch.tensor(kinds))


def learn(footage: Sequence[Footage], held_out: Sequence[Footage], recipe: Recipe, tell: Tell) -> PadNetwork:
    """Learn from `footage`; after every pass `tell` how people held out are judged. Raises `TrainingError`."""
    torch.manual_seed(recipe.seed)
    network = PadNetwork(recipe.seen).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedWeights(network, recipe.average_decay)
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
    checks = [make_batch(held_out or footage, recipe.batch_pairs, (recipe.seed, 1, n)) for n in range(recipe.checks)]
    steps = recipe.passes * (recipe.pairs // recipe.batch_pairs)
    started = time.process_time()
    for step, batch in enumerate(_batches(footage, recipe)):
        _set_rate(optimiser, recipe, step / steps)
        loss = _step(network, optimiser, batch, recipe)
        average.update(network, step + 1)
        if (step + 1) % max(1, steps // recipe.passes) == 0:
            judge = _averaged(network, average)
            tell(
                {"step": step + 1, "loss": loss, **check(judge, checks), "run_s": time.process_time() - started}, judge
            )
    return _averaged(network, average)


@torch.inference_mode()
def check(network: PadNetwork, batches: Sequence[Batch]) -> dict[str, float]:
    """Tell twins of held-out people apart: AUC over all pairs, and the share of attacks whose kind is named rightly."""
    logits = torch.cat([network(batch.wide) for batch in batches])
    kinds = torch.cat([batch.kinds for batch in batches])
    scores = attack_logit(logits)
    attacks = kinds > 0
    above = (scores[attacks][:, None] > scores[~attacks][None]).float().mean()
    right = (logits[attacks][:, 1:].argmax(dim=1) + 1 == kinds[attacks]).float().mean()
    return {"auc": float(above), "kinds": float(right)}


def _thinned(footage: Footage, frames: int) -> Footage:
    """Keep some judgeable frames spread over a film, in memory of their own."""
    usable = np.flatnonzero(footage.judgeable) if footage.judgeable.any() else np.arange(footage.frames)
    kept = usable[np.unique(np.linspace(0, len(usable) - 1, min(frames, len(usable))).round().astype(int))]
    return replace(
        footage,
        rgb=footage.rgb[kept].copy(),
        points=footage.points[kept].copy(),
        media_s=footage.media_s[kept],
        face_px=footage.face_px[kept],
        judgeable=footage.judgeable[kept],
    )


def _batches(footage: Sequence[Footage], recipe: Recipe) -> Iterator[Batch]:
    made: list[Batch] = []
    for number in range(recipe.pairs // recipe.batch_pairs):
        made.append(make_batch(footage, recipe.batch_pairs, (recipe.seed, 0, number)))
        yield made[-1]
    for passed in range(1, recipe.passes):
        rng = np.random.default_rng((recipe.seed, 2, passed))
        for index in rng.permutation(len(made)):
            yield _moved(made[int(index)], rng)


def _moved(batch: Batch, rng: np.random.Generator) -> Batch:
    """Shift and mirror a batch that was seen before."""
    wide = torch.roll(batch.wide, tuple(int(step) for step in rng.integers(-SHIFT_PX, SHIFT_PX + 1, 2)), (1, 2))
    return Batch(wide.flip(2) if rng.random() < 0.5 else wide, batch.kinds)


def _step(network: PadNetwork, optimiser: torch.optim.Optimizer, batch: Batch, recipe: Recipe) -> float:
    network.train()
    logits = network(batch.wide)
    pairs = len(batch.kinds) // 2
    named = nn.functional.cross_entropy(logits, batch.kinds, label_smoothing=recipe.smoothing)
    scores = attack_logit(logits)
    apart = nn.functional.softplus(scores[:pairs] - scores[pairs:]).mean()
    loss = named + 0.5 * apart
    if not math.isfinite(float(loss.detach())):
        raise TrainingError("the loss is not a number: learn at a lower rate")
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    return float(loss.detach())


def _set_rate(optimiser: torch.optim.Optimizer, recipe: Recipe, done: float) -> None:
    warm = min(1.0, done * 40 + 0.05)
    for part in optimiser.param_groups:
        part["lr"] = recipe.rate * warm * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0))))


def _averaged(network: PadNetwork, average: AveragedWeights) -> PadNetwork:
    judge = PadNetwork(tuple(network.branches))
    judge.load_state_dict(average.values)
    return judge.eval()
