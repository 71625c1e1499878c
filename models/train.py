# SPDX-License-Identifier: Apache-2.0
"""Exported crops of real faces in, a trained network out: `python -m models.train CROPS RUN --backbone FILE`.

Instead of a backbone's ImageNet weights, `--start MODEL` goes on from the weights of a model of this project.
"""

import argparse
import dataclasses
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TextIO, cast

import cv2
import numpy as np
import torch
from rich.console import Console
from torch import Tensor
from torch.utils.data import DataLoader

from models import registry
from models.data.batches import Batch, BatchStream
from models.data.crops import load_footage
from models.data.people import split_people
from models.errors import ModelError, TrainingError
from models.learning.average import AveragedWeights
from models.learning.checkpoint import Progress, restore, save
from models.learning.loss import LossParts, paired_loss
from models.learning.recipe import Recipe
from models.networks.imagenet import load_imagenet
from models.networks.stream import ClipOutput, StreamNetwork

__all__ = ["Trainer", "look", "main"]

LOG_STEPS: Final = 10
CHECK_STEPS: Final = 200
CHECK_BATCHES: Final = 9
CHECKPOINT: Final = "checkpoint.pt"


class Trainer:
    """One run: network, average, optimiser and progress; `minutes` bounds the time, the cosine ends with it."""

    def __init__(self, recipe: Recipe, minutes: float | None = None, device: str = "cpu") -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.minutes = minutes
        self.device = torch.device(device)
        self.network = _network(recipe).to(self.device)
        self.average = AveragedWeights(self.network, recipe.average_decay)
        self.optimiser = _optimiser(self.network, recipe)
        self.progress = Progress()

    @property
    def done(self) -> float:
        """Share 0..1 of the run that is behind us, by steps or by time, whichever is further."""
        by_time = self.progress.spent_s / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(self.progress.step / self.recipe.steps, by_time))

    def step(self, batch: Batch) -> LossParts:
        """Learn from one batch; raises `TrainingError` when the loss is no number."""
        started = time.monotonic()
        self.set_rates()
        self.network.train()
        _hold_norms(self.network)
        there = batch.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            output = look(self.network, there.clips, temporal=self.recipe.temporal)
        parts = paired_loss(output, there, self.recipe)
        if not math.isfinite(float(parts.total.detach())):
            raise TrainingError(f"the loss is not a number at step {self.progress.step}: the last checkpoint is kept")
        self.optimiser.zero_grad(set_to_none=True)
        parts.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self.optimiser.step()
        self.progress.step += 1
        self.average.update(self.network, self.progress.step)
        self.progress.spent_s += time.monotonic() - started
        return parts

    def set_rates(self) -> None:
        """Set the learning rates for the share of the run that is behind us."""
        warm = min(1.0, (self.progress.step + 1) / self.recipe.warm_up_steps)
        falling = 0.5 * (1.0 + math.cos(math.pi * self.done))
        factor = warm * (self.recipe.least_rate + (1.0 - self.recipe.least_rate) * falling)
        for group in self.optimiser.param_groups:
            group["lr"] = group["full_rate"] * factor

    def save(self, file: Path) -> None:
        """Write a checkpoint."""
        save(
            file,
            network=self.network,
            average=self.average,
            optimiser=self.optimiser,
            progress=self.progress,
            recipe=self.recipe,
        )

    def restore(self, file: Path) -> None:
        """Go on from a checkpoint; raises `TrainingError` when it is of another network."""
        self.progress = restore(file, self.network, self.average, self.optimiser)

    @torch.no_grad()
    def check(self, batches: Sequence[Batch]) -> dict[str, float]:
        """Judge pairs of people never learnt from with the averaged weights."""
        judge = _network(self.recipe).to(self.device)
        judge.load_state_dict(self.average.values)
        judge.eval()
        real, fake = [], []
        for batch in batches:
            output = look(judge, batch.to(self.device).clips, temporal=self.recipe.temporal)
            mean = output.logit.mean(dim=1).float().cpu().numpy()
            real.append(mean[: len(mean) // 2])
            fake.append(mean[len(mean) // 2 :])
        bona_fide, forged = np.concatenate(real), np.concatenate(fake)
        above = (forged[:, None] > bona_fide[None]).mean()
        return {"held_out_auc": float(above), "held_out_pairs": float((forged > bona_fide).mean())}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; exit 1 with one line on stderr when it cannot go on."""
    options = _options(arguments)
    try:
        _run(options)
    except ModelError as error:
        Console(stderr=True).print(f"training stopped: {error}")
        return 1
    return 0


def look(network: StreamNetwork, clips: Tensor, *, temporal: bool) -> ClipOutput:
    """Judge clips uint8 [B, T, S, S, 3] from fresh states; without `temporal` every frame as a track of its own."""
    if temporal:
        output, _ = network(clips, network.new_state(len(clips), clips.device))
        return cast("ClipOutput", output)
    single = clips.flatten(0, 1).unsqueeze(1)
    output, _ = network(single, network.new_state(len(single), clips.device))
    return ClipOutput(*(value.view(*clips.shape[:2], *value.shape[2:]) for value in output))


def _network(recipe: Recipe) -> StreamNetwork:
    network: StreamNetwork = StreamNetwork(recipe.crop_px).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _recipe(options: argparse.Namespace) -> Recipe:
    named = {"steps": options.steps, "crop_px": options.crop_px}
    return dataclasses.replace(Recipe(), **{name: value for name, value in named.items() if value is not None})


def begin(network: StreamNetwork, average: AveragedWeights, options: argparse.Namespace) -> None:
    """Load what the run starts from, ImageNet's backbone or a model of this project, and its average with it."""
    if options.start:
        network.load_state_dict(registry.tensors(options.start))
    else:
        load_imagenet(network.backbone, options.backbone)
    average.restart(network)


def _run(options: argparse.Namespace) -> None:
    recipe = _recipe(options)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(0)  # a pool of threads would not survive the fork of the workers
    footage = load_footage(
        options.crops, "train", for_training=True, least_px=recipe.least_face_px, crop_px=recipe.crop_px
    )
    learnt, held_out = split_people(footage, recipe.held_out_share)
    trainer = Trainer(recipe, options.minutes, options.device)
    begin(trainer.network, trainer.average, options)
    options.run.mkdir(parents=True, exist_ok=True)
    checkpoint = options.run / CHECKPOINT
    if checkpoint.exists():
        trainer.restore(checkpoint)
    checks = BatchStream(held_out, recipe.shapes, recipe.seed + 1, grey_share=recipe.grey_share, making=recipe.making)
    fixed = [checks.batch(number) for number in range(CHECK_BATCHES)]
    stream = BatchStream(
        learnt,
        recipe.shapes,
        recipe.seed,
        first=trainer.progress.step,
        grey_share=recipe.grey_share,
        making=recipe.making,
    )
    loader: DataLoader[Batch] = DataLoader(
        stream, batch_size=None, num_workers=options.workers, prefetch_factor=4 if options.workers else None
    )
    with (options.run / "log.jsonl").open("a") as log:
        _write(log, {"people": len({one.identity for one in learnt}), "files": len(learnt), "held_out": len(held_out)})
        _loop(trainer, iter(loader), fixed, checkpoint, log)


def _loop(trainer: Trainer, batches: Iterator[Batch], fixed: Sequence[Batch], checkpoint: Path, log: TextIO) -> None:
    started = time.monotonic()
    while trainer.done < 1.0:
        batch = next(batches)
        parts = trainer.step(batch)
        step = trainer.progress.step
        if step % LOG_STEPS == 0:
            losses = {
                field.name: round(float(getattr(parts, field.name).detach()), 4) for field in dataclasses.fields(parts)
            }
            rate = trainer.optimiser.param_groups[0]["lr"]
            _write(log, {"step": step, "done": round(trainer.done, 4), **losses, "rate": rate,
                         "run_s": round(time.monotonic() - started, 1)})  # fmt: skip
        if step % CHECK_STEPS == 0 or trainer.done >= 1.0:
            trainer.save(checkpoint)
            _write(log, {"step": step, **trainer.check(fixed)})


def _write(log: TextIO, values: dict[str, Any]) -> None:
    log.write(json.dumps(values) + "\n")
    log.flush()


def _optimiser(network: StreamNetwork, recipe: Recipe) -> torch.optim.AdamW:
    """Make AdamW with a lower rate for the pretrained part and no decay on norms and biases."""
    groups = []
    for pretrained, rate in ((True, recipe.backbone_rate), (False, recipe.head_rate)):
        for flat, decay in ((True, 0.0), (False, recipe.weight_decay)):
            chosen = [
                value
                for name, value in network.named_parameters()
                if name.startswith("backbone.") == pretrained and (value.ndim < 2) == flat
            ]
            groups.append({"params": chosen, "lr": rate, "full_rate": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups)


def _hold_norms(network: StreamNetwork) -> None:
    """Keep the published normalisation statistics: a batch of few people would give poor ones."""
    for part in network.backbone.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.eval()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument("crops", type=Path, help="folder that the export wrote")
    parser.add_argument("run", type=Path, help="folder for checkpoints and log; a run found there goes on")
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument("--backbone", type=Path, help="efficientnet-lite0-57934424.pth, ImageNet weights to begin with")
    start.add_argument("--start", help="name of a model of this project to go on from")
    parser.add_argument("--crop-px", type=int, help="side of the crops, instead of the recipe's")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--steps", type=int, help="instead of the recipe's number")
    parser.add_argument("--minutes", type=float, help="end after this long, the learning rate falling accordingly")
    parser.add_argument("--threads", type=int, default=1, help="torch threads of the training process")
    parser.add_argument("--workers", type=int, default=1, help="processes that make forgeries")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
