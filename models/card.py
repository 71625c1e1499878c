# SPDX-License-Identifier: Apache-2.0
"""Index of crops, run log, predictions and calibration report in, the model's card in Markdown on stdout out.

`python -m models.card --crops FOLDER --run FOLDER --predictions VAL --calibration REPORT > models/cards/NAME.md`
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from models import registry
from models.card_text import BEFORE_FIGURES, LIMITS, OPENING
from models.data.crops import read_index
from models.errors import DataError, ModelError
from models.evaluate import report
from models.evaluation.predictions import read_predictions
from models.evaluation.tables import markdown
from models.forgeries.mix import SHARES
from models.learning.recipe import Recipe

__all__ = ["compose", "main", "sources"]


def sources(rows: Sequence[Mapping[str, str]]) -> str:
    """Table of where the training faces come from, and under which licence."""
    counted = Counter((row["repo"], row["licence"]) for row in rows)
    people = {key: {row["identity"] for row in rows if (row["repo"], row["licence"]) == key} for key in counted}
    lines = [(repo, licence, str(files), str(len(people[repo, licence]))) for (repo, licence), files in counted.items()]
    return markdown(("source", "licence", "files", "people"), sorted(lines))


def compose(entry: registry.Entry, trained: Mapping[str, Any], faces: str, calibration: str, figures: str) -> str:
    """Put the card together."""
    recipe = "\n".join(f"- {name.replace('_', ' ')}: {_plain(value)}" for name, value in asdict(Recipe()).items())
    kinds = ", ".join(f"{name.replace('_', ' ')} {share:.0%}" for name, share in SHARES.items())
    facts = markdown(
        ("fact", "value"),
        (
            ("file", f"`{entry.file}`"),
            ("SHA-256", f"`{entry.sha256}`"),
            ("calibration SHA-256", f"`{entry.calibration_sha256}`"),
            ("licence of the weights", entry.licence),
            ("input contract", f"`{entry.contract}`, {entry.samples_per_s:g} crops a second and face"),
            ("trained on", entry.trained_on),
            ("steps", f"{trained['step']} of at most {Recipe().steps}, about {trained['crops']:,} crops"),
            ("held-out people of the training sources",
             f"AUC {trained['held_out_auc']:.2f}, pairs told apart {trained['held_out_pairs']:.2f}"),
        ),
    )  # fmt: skip
    sections = (
        f"# {entry.name}\n",
        OPENING,
        facts,
        "## Training faces (one person in twenty kept back)\n",
        faces,
        f"## Recipe\n\nForgeries: {kinds}.\n\n{recipe}\n",
        "## Calibration, and what it gives on people it never saw\n",
        calibration,
        BEFORE_FIGURES,
        figures,
        LIMITS,
    )
    return "\n".join(part.strip("\n") + "\n" for part in sections)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the card; exit 1 with one line on stderr when something is missing."""
    options = _options(arguments)
    try:
        rows = read_index(options.crops / "train.csv")
        figures = report(read_predictions(options.predictions))
        calibration = options.calibration.read_text(encoding="utf-8")
        card = compose(registry.entry(options.model), _trained(options.run), sources(rows), calibration, figures)
    except (ModelError, OSError) as error:
        Console(stderr=True).print(f"no card: {error}")
        return 1
    sys.stdout.write(card)
    return 0


def _trained(run: Path) -> dict[str, Any]:
    """The last step and check of a run's log."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    checks = [line for line in lines if "held_out_auc" in line]
    if not checks:
        raise DataError(f"{run} holds no check of a trained network yet")
    crops = sum(2 * shape.pairs * shape.frames for shape in Recipe().shapes) / len(Recipe().shapes)
    return {**checks[-1], "crops": round(checks[-1]["step"] * crops)}


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(", ".join(f"{name} {item}" for name, item in shape.items()) for shape in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.card", description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder that the export wrote")
    parser.add_argument("--run", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--predictions", type=Path, required=True, help="of the validation footage")
    parser.add_argument("--calibration", type=Path, required=True, help="what models.calibrate printed")
    parser.add_argument("--model", default=registry.DEFAULT)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
