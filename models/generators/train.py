# SPDX-License-Identifier: Apache-2.0
"""Exported crops of real faces in, trained generators out: `python -m models.generators CROPS OUT --minutes N`."""

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final, TextIO

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor, nn

from models.errors import ModelError, TrainingError
from models.generators.autoencoder import Autoencoder
from models.generators.critic import Critic, critic_loss, likeness_loss, persuasion_loss, same_patch
from models.generators.faces import Faces, gather
from models.generators.recipe import VARIANTS, Variant, build
from models.generators.store import write
from models.generators.tasks import TASKS, Lesson, Wanted
from models.learning.recipe import Recipe
from models.setting import set_threads

__all__ = ["Trainer", "main"]

LOG_STEPS: Final = 20
CHECKPOINT_STEPS: Final = 200
WARM_UP_STEPS: Final = 30
LEAST_RATE: Final = 0.03
BETAS: Final = (0.8, 0.99)
GROUPS_SEED: Final = 1


class Trainer:
    """One generator's run; it ends after the variant's steps or `minutes`, the rate falling with it."""

    def __init__(self, variant: Variant, minutes: float | None = None) -> None:
        torch.manual_seed(variant.seed)
        self.variant, self.minutes = variant, minutes
        self.network = build(variant).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.critic = Critic()
        self.optimiser = torch.optim.Adam(self.network.parameters(), variant.rate, BETAS)
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), variant.critic_rate, BETAS)
        self.step_number, self.spent_s = 0, 0.0

    @property
    def done(self) -> float:
        """Share 0..1 of the run that is behind us."""
        by_time = self.spent_s / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(self.step_number / self.variant.steps, by_time))

    @property
    def criticised(self) -> bool:
        """Whether the critic already speaks."""
        return self.done >= self.variant.critic_from

    def lesson(self, faces: Faces, groups: Sequence[NDArray[np.int64]]) -> Lesson:
        """Draw the batch of this step; it depends on the seed and the step's number alone."""
        rng = np.random.default_rng((self.variant.seed, self.step_number))
        wanted = Wanted(self.variant.batch, self.variant.side_px, groups)
        return TASKS[self.variant.task](faces, wanted, rng)

    def learn(self, lesson: Lesson) -> dict[str, float]:
        """Take one step; raises `TrainingError` when the loss is no number."""
        self._set_rate()
        self.network.train()
        painted = self._paint(lesson)
        likeness = likeness_loss(painted, lesson.target)
        losses = {"likeness": float(likeness.detach())}
        total = likeness
        if self.criticised:
            cut = torch.Generator().manual_seed(self.step_number)
            patches = same_patch(painted, lesson.target, cut)
            losses["critic"] = self._teach_critic(*patches)
            fooled, alike = persuasion_loss(self.critic, *patches)
            total = total + self.variant.persuasion * fooled + self.variant.features * alike
            losses["alike"] = float(alike.detach())
        if not math.isfinite(float(total.detach())):
            raise TrainingError(f"the loss is not a number at step {self.step_number}: the last checkpoint is kept")
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.step_number += 1
        return losses

    def save(self, file: Path) -> None:
        """Write a checkpoint; a crash while writing leaves the one before in place."""
        parts = {"network": self.network, "critic": self.critic, "optimiser": self.optimiser,
                 "critic_optimiser": self.critic_optimiser}  # fmt: skip
        state: dict[str, Any] = {name: part.state_dict() for name, part in parts.items()}
        fresh = file.with_suffix(".part")
        torch.save(state | {"step": self.step_number, "spent_s": self.spent_s}, fresh)
        fresh.replace(file)

    def restore(self, file: Path) -> None:
        """Go on from a checkpoint; raises `TrainingError` when it is damaged or of another network."""
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
            self.network.load_state_dict(state["network"])
            self.critic.load_state_dict(state["critic"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.critic_optimiser.load_state_dict(state["critic_optimiser"])
            self.step_number, self.spent_s = state["step"], state["spent_s"]
        except (KeyError, RuntimeError, ValueError, EOFError, OSError, UnpicklingError) as error:
            raise TrainingError(f"{file} is no checkpoint of this generator ({error}): remove it") from error

    def _paint(self, lesson: Lesson) -> Tensor:
        """Paint in bfloat16, and keep everything outside of the region."""
        inputs = lesson.inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            network = self.network
            painted: Tensor = network.each(inputs) if isinstance(network, Autoencoder) else network(inputs)
        return lesson.region * painted.float() + (1.0 - lesson.region) * lesson.target

    def _teach_critic(self, painted: Tensor, real: Tensor) -> float:
        loss = critic_loss(self.critic, painted, real)
        self.critic_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.critic_optimiser.step()
        return float(loss.detach())

    def _set_rate(self) -> None:
        warm = min(1.0, (self.step_number + 1) / WARM_UP_STEPS)
        falling = 0.5 * (1.0 + math.cos(math.pi * self.done))
        for group in self.optimiser.param_groups:
            group["lr"] = self.variant.rate * warm * (LEAST_RATE + (1.0 - LEAST_RATE) * falling)


def train_variant(name: str, variant: Variant, faces: Faces, out: Path, minutes: float | None) -> None:
    """Train one generator, or go on with it; checkpoints, log and weights go to `out`."""
    trainer = Trainer(variant, minutes)
    checkpoint = out / f"{name}.pt"
    if checkpoint.exists():
        trainer.restore(checkpoint)
    groups = faces.alike(variant.decoders, GROUPS_SEED) if variant.task == "swap" else []
    with (out / f"{name}.jsonl").open("a") as log:
        while trainer.done < 1.0:
            silent = not trainer.criticised
            _step(trainer, faces, groups, log)
            if silent and trainer.criticised and variant.early:
                write(trainer.network, name, "early", out / "weights")
            if trainer.step_number % CHECKPOINT_STEPS == 0 or trainer.done >= 1.0:
                trainer.save(checkpoint)
    write(trainer.network, name, "late", out / "weights")


def _step(trainer: Trainer, faces: Faces, groups: Sequence[NDArray[np.int64]], log: TextIO) -> None:
    started = time.process_time()
    losses = trainer.learn(trainer.lesson(faces, groups))
    trainer.spent_s += time.process_time() - started
    if trainer.step_number % LOG_STEPS == 0:
        rounded = {key: round(value, 4) for key, value in losses.items()}
        log.write(json.dumps({"step": trainer.step_number, "spent_s": round(trainer.spent_s, 1), **rounded}) + "\n")
        log.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Train all variants in turn; exit 1 with one line on stderr when it cannot go on."""
    options = _options(arguments)
    set_threads(options.threads)
    try:
        faces = gather(options.crops, Recipe().held_out_share, options.most)
        options.out.mkdir(parents=True, exist_ok=True)
        for name in options.only or VARIANTS:
            variant = VARIANTS[name]
            if options.steps is not None:
                variant = dataclasses.replace(variant, steps=options.steps)
            minutes = options.minutes * variant.share if options.minutes else None
            train_variant(name, variant, faces, options.out, minutes)
    except ModelError as error:
        Console(stderr=True).print(f"training stopped: {error}")
        return 1
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.generators", description=__doc__)
    parser.add_argument("crops", type=Path, help="folder that the export wrote")
    parser.add_argument("out", type=Path, help="folder for checkpoints, logs and weights; a run found there goes on")
    parser.add_argument("--minutes", type=float, help="processor minutes for all variants together")
    parser.add_argument("--steps", type=int, help="most steps of each variant, instead of the recipe's number")
    parser.add_argument("--most", type=int, help="most files of faces that are loaded")
    parser.add_argument("--only", choices=tuple(VARIANTS), action="append", help="this variant; may be repeated")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    return parser.parse_args(arguments)
