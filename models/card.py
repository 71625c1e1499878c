# SPDX-License-Identifier: Apache-2.0
"""Index of crops, run log, predictions and calibration report in, the model's card in Markdown on stdout out.

`python -m models.card --crops FOLDER --run FOLDER --predictions VAL --calibration REPORT > models/cards/NAME.md`
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.console import Console

from models import registry
from models.card_text import BEFORE_FIGURES, CHOSEN, LIMITS, OPENING, UNKNOWN
from models.data.crops import read_index
from models.data.licences import learnt_despite
from models.errors import DataError, ModelError
from models.evaluation.predictions import read_predictions
from models.evaluation.report import report
from models.evaluation.tables import markdown
from models.evaluation.unlearnt import without_learnt
from models.learning.recipe import Recipe

__all__ = ["Measurements", "compose", "main", "recipe_lines", "sources"]

KEPT_OUT: Final = ("name", "graph", "graph_sha256")
"""Fields of a manifest entry that say nothing of the weights."""

STANDING: Final = ("step", "round", "macro")
"""What a run's or a contest's log says of the weights that it left, beside how held-out people were told apart."""


class Measurements(NamedTuple):
    """Texts that other commands made; the last two are empty where nothing was measured."""

    figures: str
    calibration: str
    ablation: str = ""
    folds: str = ""


def sources(rows: Sequence[Mapping[str, str]]) -> str:
    """Table of where the training faces come from, and under which licence."""
    counted = Counter((row["repo"], row["licence"]) for row in rows)
    people = {key: {row["identity"] for row in rows if (row["repo"], row["licence"]) == key} for key in counted}
    lines = [(repo, licence, str(files), str(len(people[repo, licence]))) for (repo, licence), files in counted.items()]
    return markdown(("source", "licence", "files", "people"), sorted(lines))


def compose(entry: registry.Entry, log: Sequence[Mapping[str, Any]], faces: str, measured: Measurements) -> str:
    """Put the card together; raises `DataError` when the log holds no check of a trained network."""
    parts = (
        (entry.name, OPENING),
        ("", _facts(entry, log)),
        ("", CHOSEN if any(line.get("kept") for line in log) else ""),
        ("Training faces (some people kept back)", faces),
        ("Recipe", recipe_lines(_recipe(log))),
        ("Calibration, and what it gives on people it never saw", measured.calibration),
        ("Figures on footage that was never learnt from", f"{BEFORE_FIGURES.strip()}\n\n{measured.figures}"),
        ("What each part is worth", measured.ablation),
        ("Learning from the openly licensed forgeries too, by folds", measured.folds),
        ("Limits: what it cannot see", LIMITS),
        ("Of whom nothing is known", UNKNOWN),
    )
    return "\n".join(_section(number, head, body) for number, (head, body) in enumerate(parts) if body.strip())


def recipe_lines(recipe: Mapping[str, Any]) -> str:
    """Everything that decided what was learnt, one setting a line."""
    return "\n".join(f"- {name.replace('_', ' ')}: {_plain(value)}" for name, value in recipe.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the card; exit 1 with one line on stderr when something is missing."""
    options = _options(arguments)
    try:
        sys.stdout.write(_card(options))
    except (ModelError, OSError, ValueError) as error:
        Console(stderr=True).print(f"no card: {error}")
        return 1
    return 0


def _card(options: argparse.Namespace) -> str:
    entry = registry.entry(options.model)
    predictions = [one for file in options.predictions for one in read_predictions(file)]
    if options.without_learnt:
        predictions = without_learnt(predictions, options.without_learnt)
    measured = Measurements(
        figures=report(predictions, registry.load(options.model).calibration),
        calibration=options.calibration.read_text(encoding="utf-8"),
        ablation=options.ablation.read_text(encoding="utf-8") if options.ablation else "",
        folds=options.folds.read_text(encoding="utf-8") if options.folds else "",
    )
    lines = (options.run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    rows = read_index(options.crops / "train.csv")
    faces = f"{learnt_despite(rows)}\n\n{sources(rows)}".strip()
    return compose(entry, [json.loads(line) for line in lines], faces, measured)


def _section(number: int, head: str, body: str) -> str:
    """The first part carries the title, the others a heading of their own where they have one."""
    title = "" if not head else f"# {head}\n\n" if number == 0 else f"## {head}\n\n"
    return f"{title}{body.strip()}\n"


def _facts(entry: registry.Entry, log: Sequence[Mapping[str, Any]]) -> str:
    checks = [line for line in log if line.get("kept") or any(name.startswith("held_out_") for name in line)]
    if not checks:
        raise DataError("the run's log holds no check of a trained network yet")
    last = {name: value for name, value in checks[-1].items() if name in STANDING or name.startswith("held_out_")}
    told = {name: value for name, value in asdict(entry).items() if name not in KEPT_OUT}
    rows = [(name.replace("_", " "), f"`{value}`" if "sha256" in name or name == "contract" else _plain(value))
            for name, value in (told | last).items()]  # fmt: skip
    return markdown(("fact", "value"), rows)


def _recipe(log: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The recipe that the run wrote down, or the one that stands when it wrote none."""
    written = [line["recipe"] for line in log if "recipe" in line]
    return dict(written[-1]) if written else asdict(Recipe())


def _plain(value: object) -> str:
    """Words for any value of a recipe, however it is nested."""
    if isinstance(value, Mapping):
        return ", ".join(f"{str(name).replace('_', ' ')} {_plain(item)}" for name, item in value.items())
    if isinstance(value, (tuple, list)):
        simple = all(not isinstance(item, (Mapping, tuple, list)) for item in value)
        return (" " if simple else "; ").join(_plain(item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("_", " ")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.card", description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder that the export wrote")
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="of the validation footage")
    parser.add_argument("--calibration", type=Path, required=True, help="what models.calibrate printed")
    parser.add_argument("--ablation", type=Path, help="table of what each part is worth, in Markdown")
    parser.add_argument("--folds", type=Path, help="table of the leave-one-method-out folds, in Markdown")
    parser.add_argument(
        "--without-learnt",
        type=Path,
        metavar="LABELS",
        help="leave out forgeries that may have been learnt from",
    )
    parser.add_argument("--model", default=registry.DEFAULT)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
