# SPDX-License-Identifier: Apache-2.0
"""Exported crops of real faces in, a trained network out: `python -m models.train CROPS RUN --backbone FILE`.

Instead of a backbone's ImageNet weights, `--from MODEL` goes on from the weights of a model of this project. On
several GPUs: `torchrun --nproc-per-node N -m models.train ... --device cuda`.
"""

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

import torch
from rich.console import Console

from models import registry
from models.data.batches import Batch
from models.errors import ModelError, TrainingError
from models.learning.pool import read_pool, styled
from models.learning.recipe import RECIPES, Recipe
from models.learning.trainer import Trainer
from models.networks.imagenet import load_imagenet
from models.setting import add_options, set_threads, training_people
from models.tuning import new_stream, served

__all__ = ["main"]

LOG_STEPS: Final = 10
CHECK_STEPS: Final = 200
CHECK_BATCHES: Final = 9
CHECKPOINT: Final = "checkpoint.pt"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; exit 1 with one line on stderr when it cannot go on."""
    options = _options(arguments)
    try:
        with _group(options.device) as (rank, processes):
            _run(options, rank, processes)
    except ModelError as error:
        Console(stderr=True).print(f"training stopped: {error}")
        return 1
    return 0


@contextmanager
def _group(device: str) -> Iterator[tuple[int, int]]:
    """Join the process group that torchrun made, if it did: this process's rank and the number of processes."""
    if "WORLD_SIZE" not in os.environ:
        yield 0, 1
        return
    torch.distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    if device.startswith("cuda"):
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        yield torch.distributed.get_rank(), torch.distributed.get_world_size()
    finally:
        torch.distributed.destroy_process_group()


def _run(options: argparse.Namespace, rank: int, processes: int) -> None:
    if processes > 1 and options.minutes:
        raise TrainingError("several processes would not end together: give --steps, not --minutes")
    recipe = _recipe(options)
    set_threads(options.threads)
    learnt, held_out = training_people(options.crops, recipe, options.allow_licence)
    trainer = _begun(recipe, options)
    options.run.mkdir(parents=True, exist_ok=True)
    checkpoint = options.run / CHECKPOINT
    if checkpoint.exists():
        trainer.restore(checkpoint)
    checks = new_stream(held_out, recipe, recipe.seed + 1)
    fixed = [checks.batch(number) for number in range(CHECK_BATCHES)]
    first = trainer.progress.step * processes + rank
    stream = new_stream(learnt, recipe, recipe.seed, first=first, stride=processes)
    with (options.run / "log.jsonl" if rank == 0 else Path(os.devnull)).open("a") as log:
        _write(log, {"recipe": dataclasses.asdict(recipe), "from": options.start or "ImageNet"})
        _write(log, {"people": len({one.identity for one in learnt}), "files": len(learnt), "held_out": len(held_out),
                     "allowed_licences": options.allow_licence})  # fmt: skip
        _loop(trainer, iter(served(stream, options.workers)), fixed, checkpoint if rank == 0 else None, log)


def _recipe(options: argparse.Namespace) -> Recipe:
    named = {"steps": options.steps, "crop_px": options.crop_px}
    begun = RECIPES[options.recipe or ("full" if options.start else "from-imagenet")]
    recipe = dataclasses.replace(begun, **{name: value for name, value in named.items() if value is not None})
    return dataclasses.replace(recipe, styled=styled(read_pool(options.pool))) if options.pool else recipe


def _begun(recipe: Recipe, options: argparse.Namespace) -> Trainer:
    """Make a trainer with what the run starts from: ImageNet's backbone or a model of this project."""
    trainer = Trainer(recipe, options.minutes, options.device)
    if options.start:
        trainer.network.load_state_dict(registry.tensors(options.start))
    else:
        load_imagenet(trainer.network.backbone, options.backbone)
    trainer.average.restart(trainer.network)
    return trainer


def _loop(
    trainer: Trainer, batches: Iterator[Batch], fixed: Sequence[Batch], checkpoint: Path | None, log: TextIO
) -> None:
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
        if checkpoint and (step % CHECK_STEPS == 0 or trainer.done >= 1.0):
            trainer.save(checkpoint)
            _write(log, {"step": step, **trainer.check(fixed)})


def _write(log: TextIO, values: dict[str, Any]) -> None:
    log.write(json.dumps(values) + "\n")
    log.flush()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument("crops", type=Path, help="folder that the export wrote")
    parser.add_argument("run", type=Path, help="folder for checkpoints and log; a run found there goes on")
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument("--backbone", type=Path, help="efficientnet-lite0-57934424.pth, ImageNet weights to begin with")
    start.add_argument("--from", dest="start", metavar="MODEL", help="name of a model of this project to go on from")
    parser.add_argument(
        "--recipe", choices=list(RECIPES), help="default: full with --from, from-imagenet with --backbone"
    )
    parser.add_argument("--pool", type=Path, help="styles of forgery that a contest found, to be drawn too")
    parser.add_argument("--allow-licence", action="append", default=[], metavar="TEXT",
                        help="learn from footage under this licence all the same; repeatable")  # fmt: skip
    parser.add_argument("--steps", type=int, help="instead of the recipe's number")
    parser.add_argument("--minutes", type=float, help="end after this long, the learning rate falling accordingly")
    add_options(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
