# SPDX-License-Identifier: Apache-2.0
"""Exported crops, stored predictions or a scan's output in, Markdown tables of figures on stdout out.

`python -m models.evaluate --crops FOLDER --out FILE`, `--predictions FILE`, or `--scan FILE --labels labels.csv`.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from rich.console import Console

from models import registry
from models.data.crops import Footage, load_footage
from models.data.people import split_people
from models.errors import DataError, ModelError
from models.evaluation.predictions import CONDITIONS, Prediction, judge, read_predictions, write_predictions
from models.evaluation.scan import read_scan
from models.evaluation.tables import table
from models.learning.recipe import Recipe

__all__ = ["main", "report"]

HELD_OUT: Final = "held_out"
BEGIN: Final = "<!-- detection:begin -->"
END: Final = "<!-- detection:end -->"
BY_METHOD: Final = re.compile(r"\| \w+: ")
"""Rows that are too many for a README; the card has them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate; exit 1 with one line on stderr when the input cannot be used."""
    options = _options(arguments)
    try:
        found = _scan_report(options) if options.scan else report(_predictions(options))
        sys.stdout.write(found)
        if options.readme:
            _rewrite(options.readme, found)
    except ModelError as error:
        Console(stderr=True).print(f"evaluation failed: {error}")
        return 1
    return 0


def report(predictions: Sequence[Prediction]) -> str:
    """One section for every condition."""
    parts = []
    for condition in dict.fromkeys(one.condition for one in predictions):
        chosen = [one for one in predictions if one.condition == condition]
        parts.append(f"### Condition: {condition}\n\n{table(chosen, lambda one: one.score)}")
    return "\n".join(parts)


def _scan_report(options: argparse.Namespace) -> str:
    if options.labels is None:
        raise DataError("a scan is evaluated against labels: name labels.csv with --labels")
    predictions, counts = read_scan(options.scan, options.labels)
    words = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
    return f"{words}\n\n{table(predictions, lambda one: one.score)}"


def _rewrite(readme: Path, found: str) -> None:
    """Put the figures by label into the file's section; raises DataError for a file without its markers."""
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise DataError(f"{readme} has no lines {BEGIN} and {END}")
    head, rest = text.split(BEGIN, 1)
    short = "\n".join(line for line in found.splitlines() if not BY_METHOD.match(line))
    readme.write_text(f"{head}{BEGIN}\n{short.strip()}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


def _predictions(options: argparse.Namespace) -> list[Prediction]:
    if options.predictions:
        return read_predictions(options.predictions)
    if options.crops is None:
        raise DataError("nothing to evaluate: name --crops, --predictions or --scan")
    torch.set_num_threads(options.threads)
    detector = registry.load(options.model)
    footage = _footage(options.crops, options.split)
    chosen = [condition for condition in CONDITIONS if condition.name in options.conditions]
    found = [one for condition in chosen for one in judge(detector, footage, condition)]
    if options.out:
        write_predictions(options.out, found)
    return found


def _footage(crops: Path, split: str) -> list[Footage]:
    """Load a split; `held_out` are the people of the training split that no step ever saw."""
    if split != HELD_OUT:
        return load_footage(crops, split, for_training=False)
    return split_people(load_footage(crops, "train", for_training=False), Recipe().held_out_share)[1]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description=__doc__)
    parser.add_argument("--crops", type=Path, help="folder that the export wrote")
    parser.add_argument("--split", default="val", help="val, or held_out for the people kept back from training")
    parser.add_argument("--model", default=registry.DEFAULT)
    parser.add_argument("--conditions", nargs="+", default=[condition.name for condition in CONDITIONS])
    parser.add_argument("--out", type=Path, help="store the predictions here")
    parser.add_argument("--predictions", type=Path, help="stored predictions, instead of crops")
    parser.add_argument("--scan", type=Path, help="output of `lifesign scan --json`, instead of crops")
    parser.add_argument("--labels", type=Path, help="labels.csv of the footage that was scanned")
    parser.add_argument("--readme", type=Path, help="rewrite the section of this file between its detection markers")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
