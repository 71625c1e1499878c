# SPDX-License-Identifier: Apache-2.0
"""Crops and a start in, short runs that differ in one thing out, with what each is worth on people never learnt from.

`python -m models.ablate CROPS RUN --steps N [--only NAMES]`. RUN gets, for every variant, `NAME.safetensors`,
`NAME.jsonl` (predictions of validation films) and `NAME.json` (pairs of held-out people), then `ablation.md`; what is
there already is not made again. The start is `--from WEIGHTS`, or ImageNet's with `--backbone FILE`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import Final

from rich.console import Console

from models.data.excerpt import load_films
from models.errors import ModelError
from models.evaluation.ablation import Outcome, ablation_table
from models.evaluation.conditions import named
from models.evaluation.judging import judge
from models.evaluation.predictions import read_predictions, write_predictions
from models.learning.pool import read_pool
from models.learning.recipe import Recipe
from models.networks.imagenet import load_imagenet
from models.setting import add_options, set_threads, training_people
from models.tuning import (
    Weights,
    as_detector,
    fresh_weights,
    gentle,
    new_stream,
    read_weights,
    served,
    tune,
    write_weights,
)
from models.variants import Variant, chosen, variants

__all__ = ["main"]

CHECKED: Final = 9
"""Batches of held-out people, the same for every variant: made by the full recipe."""


@dataclass(frozen=True, slots=True)
class Files:
    """What a variant leaves in the run's folder."""

    folder: Path
    name: str

    @property
    def weights(self) -> Path:
        """Its weights."""
        return self.folder / f"{self.name}.safetensors"

    @property
    def predictions(self) -> Path:
        """What it said of validation films."""
        return self.folder / f"{self.name}.jsonl"

    @property
    def pairs(self) -> Path:
        """How it told twins of held-out people apart."""
        return self.folder / f"{self.name}.json"

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.weights.exists() and self.predictions.exists() and self.pairs.exists()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the variants and print their table; exit 1 with one line on stderr when it cannot go on."""
    options = _options(arguments)
    try:
        sys.stdout.write(_run(options))
    except ModelError as error:
        Console(stderr=True).print(f"the ablation stopped: {error}")
        return 1
    return 0


def _run(options: argparse.Namespace) -> str:
    set_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    recipe = _recipe(options)
    pool = read_pool(options.pool) if options.pool else ()
    wanted = chosen(variants(recipe, pool), options.only)
    for one in wanted:
        files = Files(options.run, one.name)
        if not files.finished:
            _play(one, files, recipe, options)
    text = ablation_table([_outcome(one, Files(options.run, one.name)) for one in wanted])
    (options.run / "ablation.md").write_text(text, encoding="utf-8")
    return text


def _recipe(options: argparse.Namespace) -> Recipe:
    """The full recipe for so many steps: gentler from trained weights, as it is from ImageNet's."""
    recipe = replaced(Recipe(), crop_px=options.crop_px or Recipe().crop_px)
    if options.start:
        return gentle(recipe, options.steps)
    return replaced(recipe, steps=options.steps, warm_up_steps=max(1, min(recipe.warm_up_steps, options.steps // 5)))


def _play(variant: Variant, files: Files, full: Recipe, options: argparse.Namespace) -> None:
    """Learn, then judge twins of held-out people and validation films."""
    recipe = variant.recipe
    learnt, held_out = training_people(options.crops, recipe)
    stream = new_stream(learnt, recipe, recipe.seed)
    trainer = tune(_start(recipe, options), recipe, served(stream, options.workers), options.device)
    write_weights(files.weights, trainer.average.values)
    checks = new_stream(held_out, replaced(full, crop_px=recipe.crop_px), recipe.seed + 1)
    files.pairs.write_text(json.dumps(trainer.check([checks.batch(number) for number in range(CHECKED)])) + "\n")
    films = load_films(options.crops, "val", options.seconds, recipe.crop_px)
    detector = as_detector(trainer.average.values, recipe, options.device)
    write_predictions(files.predictions, judge(detector, films, named(options.conditions)))


def _start(recipe: Recipe, options: argparse.Namespace) -> Weights:
    if options.start:
        return read_weights(options.start)
    return fresh_weights(recipe, lambda network: load_imagenet(network.backbone, options.backbone))


def _outcome(variant: Variant, files: Files) -> Outcome:
    pairs = json.loads(files.pairs.read_text(encoding="utf-8"))
    said = tuple(read_predictions(files.predictions))
    return Outcome(variant.name, variant.change, pairs["held_out_auc"], pairs["held_out_pairs"], said)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.ablate", description=__doc__)
    parser.add_argument("crops", type=Path, help="folder that the export wrote, with train and val")
    parser.add_argument("run", type=Path, help="folder for weights, predictions and the table")
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument("--from", dest="start", type=Path, help=".safetensors or checkpoint to start from")
    start.add_argument("--backbone", type=Path, help="efficientnet-lite0-57934424.pth, ImageNet weights to start from")
    parser.add_argument("--steps", type=int, default=300, help="steps of every variant")
    parser.add_argument("--only", nargs="+", default=[], help="names of variants, besides the full recipe")
    parser.add_argument("--pool", type=Path, help="pool.json of a contest, for the variant with-contest")
    parser.add_argument("--conditions", nargs="+", default=["clean", "vp8"])
    parser.add_argument("--seconds", type=float, default=3.0, help="of every validation film")
    add_options(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
