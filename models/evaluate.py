# SPDX-License-Identifier: Apache-2.0
"""Exported crops, stored predictions or a scan's output in, Markdown tables of figures on stdout out.

`python -m models.evaluate --crops FOLDER [FOLDER ...] --out FILE`, `--predictions FILE [FILE ...]`, or
`--scan FILE --labels labels.csv`. Folders are exports of the same footage, each as one condition left it.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import torch
from rich.console import Console

from models import registry, twofold
from models.errors import DataError, ModelError
from models.evaluation.conditions import CONDITIONS, named
from models.evaluation.figures import scan_table
from models.evaluation.footage import HELD_OUT, find, stream
from models.evaluation.judging import judge
from models.evaluation.misses import false_alarms, misses
from models.evaluation.predictions import Prediction, read_predictions, write_predictions
from models.evaluation.report import WORST, report
from models.evaluation.scan import read_scan
from models.evaluation.section import rewrite
from models.evaluation.sheet import write_sheet
from models.evaluation.unlearnt import without_learnt

__all__ = ["main"]

BY_METHOD: Final = re.compile(r"\| \w+: ")
"""Rows that are too many for a README; the card has them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate; exit 1 with one line on stderr when the input cannot be used."""
    options = _options(arguments)
    try:
        sys.stdout.write(_scan_report(options) if options.scan else _report(options))
    except ModelError as error:
        Console(stderr=True).print(f"evaluation failed: {error}")
        return 1
    return 0


def _report(options: argparse.Namespace) -> str:
    predictions = _predictions(options)
    if options.sheets:
        _write_sheets(options, predictions)
    if options.split == HELD_OUT:
        return f"{len(predictions)} predictions of people kept back from training, for models.calibrate.\n"
    return report(predictions, registry.load(options.model).calibration)


def _predictions(options: argparse.Namespace) -> list[Prediction]:
    if options.predictions:
        return _unlearnt(options, [one for file in options.predictions for one in read_predictions(file)])
    if options.crops is None:
        raise DataError("nothing to evaluate: name --crops, --predictions or --scan")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    detector = twofold.load(options.model, options.device)
    footage = stream(options.crops, options.split, detector.crop_px, options.data)
    found = judge(detector, footage, named(options.conditions))
    if options.out:
        write_predictions(options.out, found)
    return _unlearnt(options, found)


def _unlearnt(options: argparse.Namespace, predictions: list[Prediction]) -> list[Prediction]:
    return without_learnt(predictions, options.without_learnt) if options.without_learnt else predictions


def _write_sheets(options: argparse.Namespace, predictions: Sequence[Prediction]) -> None:
    """Draw the worst of every condition; the crops are needed for it."""
    if options.crops is None:
        raise DataError("picture sheets need the crops: name --crops beside --predictions")
    footage = partial(find, options.crops, options.split)
    for condition in dict.fromkeys(one.condition for one in predictions):
        chosen = [one for one in predictions if one.condition == condition]
        name = re.sub(r"\W+", "_", condition)
        for kind, wrong in (("misses", misses(chosen, WORST)), ("false_alarms", false_alarms(chosen, WORST))):
            write_sheet(options.sheets / f"{kind}_{name}.png", wrong, footage)


def _scan_report(options: argparse.Namespace) -> str:
    if options.labels is None:
        raise DataError("a scan is evaluated against labels: name labels.csv with --labels")
    predictions, counts = read_scan(options.scan, options.labels)
    words = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
    found = f"{words}\n\n{scan_table(_unlearnt(options, predictions))}"
    if options.readme:
        short = "\n".join(line for line in found.splitlines() if not BY_METHOD.match(line))
        rewrite(options.readme, "detection", short)
    return found


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description=__doc__)
    parser.add_argument("--crops", type=Path, nargs="+", help="folders that the export wrote")
    parser.add_argument("--split", default="val", help=f"val, or {HELD_OUT} for the people kept back from training")
    parser.add_argument("--data", type=Path, help="folder of the footage itself, to know the files' bitrates")
    parser.add_argument("--model", default=registry.DEFAULT)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--conditions", nargs="+", default=[condition.name for condition in CONDITIONS],
                        help="codecs on the crops alone, for footage that was not sent through one whole")  # fmt: skip
    parser.add_argument("--out", type=Path, help="store the predictions here")
    parser.add_argument("--predictions", type=Path, nargs="+", help="stored predictions, instead of judging crops")
    parser.add_argument("--sheets", type=Path, help="folder for pictures of the worst clips; they show people")
    parser.add_argument("--scan", type=Path, help="output of `lifesign scan --json`, instead of crops")
    parser.add_argument("--labels", type=Path, help="labels.csv of the footage that was scanned")
    parser.add_argument("--readme", type=Path, help="rewrite the section of this file between its detection markers")
    parser.add_argument(
        "--without-learnt",
        type=Path,
        metavar="LABELS",
        help="leave out forgeries that may have been learnt from",
    )
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
