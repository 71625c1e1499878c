# SPDX-License-Identifier: Apache-2.0
"""Exported crops in, a released network for presentation attacks and its figures out, in four steps:

`python -m models.pad learn CROPS RUN`, `judge CROPS SPLIT RUN TABLE` for `train` and `val`, `release RUN TABLE TABLE`,
`card CROPS TABLE > models/cards/pad.md`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from models.data.crops import read_index
from models.errors import ModelError, WeightsError
from models.pad import store
from models.pad.card import compose
from models.pad.figures import calibrated, unlearnt
from models.pad.judging import judge, read_table, write_table
from models.pad.learn import Recipe, gather, learn
from models.pad.network import PadNetwork
from models.setting import set_threads

__all__ = ["main"]

WEIGHTS = "network.safetensors"


def main(arguments: Sequence[str] | None = None) -> int:
    """Take one step; exit 1 with one line on stderr when it cannot be taken."""
    options = _options(arguments)
    set_threads(options.threads)
    try:
        options.take(options)
    except ModelError as error:
        Console(stderr=True).print(f"stopped: {error}")
        return 1
    return 0


def _learn(options: argparse.Namespace) -> None:
    recipe = replace(
        Recipe(), **{name: getattr(options, name) for name in ("pairs", "passes") if getattr(options, name)}
    )
    learnt, held_out = gather(options.crops, recipe)
    options.run.mkdir(parents=True, exist_ok=True)
    with (options.run / "log.jsonl").open("w") as log:

        def tell(figures: dict[str, float], network: PadNetwork) -> None:
            save_file(network.state_dict(), options.run / WEIGHTS)
            log.write(json.dumps({name: round(value, 4) for name, value in figures.items()}) + "\n")
            log.flush()

        learn(learnt, held_out, recipe, tell)


def _judge(options: argparse.Namespace) -> None:
    network = PadNetwork()
    network.load_state_dict(_tensors(options.run))
    films_only = options.split == "train"
    write_table(options.table, judge(options.crops, options.split, network.eval(), films_only=films_only))


def _release(options: argparse.Namespace) -> None:
    reads = [one for table in options.tables for one in read_table(table)]
    origin = calibrated(unlearnt(reads, Recipe().held_out_share))
    entry = store.write(_tensors(options.run), origin, options.folder)
    sys.stdout.write(f"{options.folder / entry.file}: {entry.parameters} parameters, {origin}\n")


def _card(options: argparse.Namespace) -> None:
    detector = store.load(options.folder)
    sys.stdout.write(compose(detector, read_index(options.crops / "train.csv"), read_table(options.table)))


def _tensors(run: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(run / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{run / WEIGHTS} cannot be read: learn first ({error})") from error


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.pad", description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--folder", type=Path, default=store.FOLDER, help="where released weights lie")
    steps = parser.add_subparsers(required=True)
    learning = steps.add_parser("learn", help="learn from the training split's real faces")
    learning.add_argument("crops", type=Path, help="folder that the export wrote")
    learning.add_argument("run", type=Path, help="folder for the weights and the log")
    learning.add_argument("--pairs", type=int, help="different twins, instead of the recipe's number")
    learning.add_argument("--passes", type=int, help="how often each is seen, instead of the recipe's number")
    learning.set_defaults(take=_learn)
    judging = steps.add_parser("judge", help="judge a split's exported files, of train the films")
    judging.add_argument("crops", type=Path, help="folder that the export wrote")
    judging.add_argument("split", choices=("train", "val"), help="which split")
    judging.add_argument("run", type=Path, help="folder with the weights")
    judging.add_argument("table", type=Path, help="file for the readings")
    judging.set_defaults(take=_judge)
    releasing = steps.add_parser("release", help="set the origin and write weights, calibration and manifest")
    releasing.add_argument("run", type=Path, help="folder with the weights")
    releasing.add_argument("tables", type=Path, nargs="+", help="readings of train and val")
    releasing.set_defaults(take=_release)
    telling = steps.add_parser("card", help="print the released network's card")
    telling.add_argument("crops", type=Path, help="folder that the export wrote")
    telling.add_argument("table", type=Path, help="readings of val")
    telling.set_defaults(take=_card)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
