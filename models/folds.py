# SPDX-License-Identifier: Apache-2.0
"""Crops and trained weights in, what learning from other makers' fakes brings out, by leave-one-method-out folds.

`python -m models.folds CROPS RUN --from WEIGHTS`. RUN gets, for the baseline and every fold, `NAME.safetensors` and
`NAME.jsonl` (predictions), then `merged.jsonl` and `folds.md`; what is there already is not made again. `--all` makes
`all.safetensors` too, which learns from every lawful fake and is judged on none of them.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rich.console import Console

from models.data.crops import Footage, read_index
from models.data.excerpt import load_films
from models.data.open_fakes import Fold, everything, learnable, make_folds
from models.data.open_pairs import OpenStream
from models.errors import DataError, ModelError
from models.evaluation.conditions import named
from models.evaluation.folded import FoldRun, fold_table, merged
from models.evaluation.judging import judge
from models.evaluation.predictions import Prediction, read_predictions, write_predictions
from models.learning.recipe import Recipe
from models.setting import add_options, set_threads, training_people
from models.tuning import Weights, as_detector, gentle, new_stream, read_weights, served, tune, write_weights

__all__ = ["main"]

BASELINE = "baseline"
ALL = "all"


@dataclass(frozen=True, eq=False)
class Bench:
    """What every run of one comparison shares: recipe, footage to learn from, fakes to add, how to run."""

    recipe: Recipe
    start: Weights
    learnt: Sequence[Footage]
    fakes: Sequence[Footage]
    options: argparse.Namespace

    def made(self, name: str, paths: frozenset[str]) -> Weights:
        """The weights after learning with the fakes named in `paths`; read back if they were made before."""
        file: Path = self.options.run / f"{name}.safetensors"
        if file.exists():
            return read_weights(file)
        chosen = [one for one in self.fakes if one.row["path"] in paths]
        seed = self.recipe.seed + 2
        stream = (
            OpenStream(self.learnt, chosen, self.recipe, seed) if chosen else new_stream(self.learnt, self.recipe, seed)
        )
        trainer = tune(self.start, self.recipe, served(stream, self.options.workers), self.options.device)
        write_weights(file, trainer.average.values)
        return trainer.average.values

    def judged(self, name: str, paths: frozenset[str]) -> list[Prediction]:
        """What these weights say of every validation film in every condition; read back if it was asked before."""
        file: Path = self.options.run / f"{name}.jsonl"
        if file.exists():
            return read_predictions(file)
        detector = as_detector(self.made(name, paths), self.recipe, self.options.device)
        found = judge(detector, self.films, named(self.options.conditions))
        write_predictions(file, found)
        return found

    @cached_property
    def films(self) -> list[Footage]:
        """The validation films to judge."""
        return load_films(self.options.crops, "val", self.options.seconds, self.recipe.crop_px)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the folds and print the table; exit 1 with one line on stderr when it cannot go on."""
    options = _options(arguments)
    try:
        sys.stdout.write(_run(options))
    except ModelError as error:
        Console(stderr=True).print(f"the folds stopped: {error}")
        return 1
    return 0


def _run(options: argparse.Namespace) -> str:
    set_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    rows = read_index(options.crops / "val.csv")
    folds = make_folds(rows)
    if len(folds) < 2:
        raise DataError("fewer than two sources of fakes may be learnt from: there is nothing to leave out")
    bench = _bench(options)
    jobs = {BASELINE: frozenset[str](), **{fold.name: fold.paths for fold in folds}}
    if options.only:
        return _some(bench, jobs | {ALL: everything(rows).paths}, options.only)
    said = {name: bench.judged(name, paths) for name, paths in jobs.items()}
    if options.all:
        bench.made(ALL, everything(rows).paths)
    return _report(options.run, rows, folds, said)


def _some(bench: Bench, jobs: Mapping[str, frozenset[str]], names: Sequence[str]) -> str:
    """Make and judge a few runs alone, so that several processes can share the work; a later call reports."""
    unknown = sorted(set(names) - set(jobs))
    if unknown:
        raise DataError(f"there is no run {', '.join(unknown)}: choose among {', '.join(jobs)}")
    for name in names:
        bench.made(name, jobs[name])
        if name != ALL:
            bench.judged(name, jobs[name])
    return ""


def _bench(options: argparse.Namespace) -> Bench:
    recipe = gentle(replace(Recipe(), crop_px=options.crop_px or Recipe().crop_px), options.steps)
    learnt, _ = training_people(options.crops, recipe)
    fakes = load_films(options.crops, "val", options.learnt_seconds, recipe.crop_px, learnable)
    return Bench(recipe, read_weights(options.start), learnt, fakes, options)


def _report(run: Path, rows: Sequence[dict[str, str]], folds: Sequence[Fold], said: dict[str, list[Prediction]]) -> str:
    """Write the merged predictions and one table a condition."""
    labels = {row["path"]: row for row in rows}
    parts, together = [_sources(rows, folds)], []
    for condition in dict.fromkeys(one.condition for one in said[BASELINE]):
        runs = [FoldRun(fold.name, _allowed(fold, said[fold.name], condition, labels)) for fold in folds]
        together += merged(runs)
        baseline = [one for one in said[BASELINE] if one.condition == condition]
        parts.append(f"### Condition: {condition}\n\n{fold_table(baseline, runs)}")
    write_predictions(run / "merged.jsonl", together)
    text = "\n".join(parts)
    (run / "folds.md").write_text(text, encoding="utf-8")
    return text


def _allowed(
    fold: Fold, said: Sequence[Prediction], condition: str, labels: dict[str, dict[str, str]]
) -> dict[str, Prediction]:
    return {one.path: one for one in said if one.condition == condition and fold.unseen(labels[one.path])}


def _sources(rows: Sequence[dict[str, str]], folds: Sequence[Fold]) -> str:
    """Say which sources each model did not learn from."""
    lawful = {row["repo"] for row in rows if learnable(row)}
    lines = [f"- {fold.name} learns {len(fold.paths)} fakes; held out: {', '.join(sorted(lawful - fold.repos))}"
             for fold in folds]  # fmt: skip
    return "\n".join(lines) + "\n"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.folds", description=__doc__)
    parser.add_argument("crops", type=Path, help="folder that the export wrote, with train and val")
    parser.add_argument("run", type=Path, help="folder for weights, predictions and tables")
    parser.add_argument(
        "--from", dest="start", type=Path, required=True, help=".safetensors or checkpoint to start from"
    )
    parser.add_argument("--steps", type=int, default=150, help="steps of the baseline and of every fold")
    parser.add_argument("--conditions", nargs="+", default=["clean", "vp8"])
    parser.add_argument("--seconds", type=float, default=4.0, help="of every film that is judged")
    parser.add_argument("--learnt-seconds", type=float, default=8.0, help="of every fake that is learnt from")
    parser.add_argument("--all", action="store_true", help="also make weights that learn from every lawful fake")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="make these runs alone and report nothing yet")
    add_options(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
