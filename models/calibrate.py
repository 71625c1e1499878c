# SPDX-License-Identifier: Apache-2.0
"""Predictions of people never learnt from in, a calibration beside the weights and a report on other people out.

`python -m models.calibrate --crops FOLDER --predictions VAL HELD_OUT`, both files made by `models.evaluate`.
"""

import argparse
import itertools
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from rich.console import Console

from models import registry
from models.calibration import Calibration
from models.data.crops import load_footage
from models.data.people import for_calibration, split_people
from models.detector import contract_px
from models.errors import DataError, ModelError
from models.evaluation.conditions import CONDITIONS
from models.evaluation.fit import Fit, fit
from models.evaluation.forged import forge_footage
from models.evaluation.joining import measured, rejoined
from models.evaluation.judging import judge
from models.evaluation.operating import calibration_gap, error_table
from models.evaluation.predictions import Prediction, read_predictions, write_predictions
from models.evaluation.unlearnt import without_learnt
from models.export import write_entry
from models.learning.recipe import Recipe
from models.scales import Scales
from models.twofold import TwofoldDetector

__all__ = ["halves", "main", "report"]

SEED: Final = 7
CALIBRATION_CONDITIONS: Final = ("clean", "vp8", "360p 500 kbit/s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Calibrate the model and print the report; exit 1 with one line on stderr when the input cannot be used."""
    options = _options(arguments)
    try:
        sys.stdout.write(_run(options))
    except ModelError as error:
        Console(stderr=True).print(f"calibration failed: {error}")
        return 1
    return 0


def halves(predictions: Sequence[Prediction]) -> tuple[list[Prediction], list[Prediction]]:
    """Divide the validation people into (calibration, report)."""
    mine = [one for one in predictions if for_calibration(one.identity)]
    return mine, [one for one in predictions if not for_calibration(one.identity)]


def report(found: Fit, reported: Sequence[Prediction], scales: Scales | None = None) -> str:
    """What the calibration rests on, and how it does on the people it never saw; Markdown."""
    people, calibration = found.spread, found.calibration
    scale, low, high = found.tail_logit
    lines = [
        f"Bona fide people in films: {people.people}, in the condition that looks most forged; mean logit "
        f"{people.mean:.2f}, people differ by {people.between:.2f}, "
        f"one person's seconds by {people.within:.2f} (standard deviations).",
        f"A face of twice the size lies {found.face_slope} logits higher, within the same film; this is taken off"
        f"{'' if calibration.face_slope else ' only where the interval leaves out 0'}.",
        f"One bona fide person in a hundred is expected above a mean logit of {people.worst_person:.2f}; "
        f"evidence: {calibration.llr_slope:.2f} nats per logit from {calibration.llr_origin:.2f} on.",
        f"Our forgeries of these people: mean logit {found.forged_mean:.2f}, {found.forged_seen:.0%} above that one; "
        f"so one look speaks for a bona fide face by at most {-calibration.llr_floor:.2f} nats.",
        f"Tail of the score: falls to 1/e every {scale:.2f} logits [{low:.2f}, {high:.2f}]; the upper end is used.",
        f"Expected calibration error of the evidence, report half: {calibration_gap(reported, calibration):.2f}.",
    ]
    if scales is not None:
        lines.insert(
            0,
            (
                f"Bona fide people at half detail: mean logit {scales.coarse_mean:.2f}, they differ by "
                f"{scales.coarse_spread:.2f}; what detail adds: {scales.detail_mean:.2f}, differing by "
                f"{scales.detail_spread:.2f}. Joined, a logit is about one of these differences."
            ),
        )
    return "\n".join(f"- {line}" for line in lines) + "\n\n" + error_table(reported, calibration)


def _run(options: argparse.Namespace) -> str:
    predictions, scales = _joined(options.predictions)
    held_out = [one for one in predictions if one.path.startswith("train/")]
    mine, reported = halves([one for one in predictions if not one.path.startswith("train/")])
    known = [one for one in (*mine, *held_out) if one.condition in CALIBRATION_CONDITIONS]
    reals = [one for one in known if one.label == "real" and one.film]
    if not reals:
        raise DataError("no bona fide films to calibrate on")
    found = fit(reals, _forged(options, scales))
    _store(options.model, replace(found.calibration, scales=scales))
    if options.without_learnt:
        reported = without_learnt(reported, options.without_learnt)
    return report(found, reported, scales)


def _joined(files: Sequence[Path]) -> tuple[list[Prediction], Scales | None]:
    """Read the predictions and join their two scales as the calibration people ask for; the files are written anew."""
    read = [read_predictions(file) for file in files]
    known = [one for one in itertools.chain(*read) if one.label == "real" and one.film and _calibrates(one)]
    scales = measured(known)
    joined = [rejoined(part, scales) for part in read]
    for file, part in zip(files, joined, strict=True):
        write_predictions(file, part)
    return list(itertools.chain(*joined)), scales


def _calibrates(one: Prediction) -> bool:
    """Whether a threshold may be set on this file."""
    held_out = one.path.startswith("train/")
    return one.condition in CALIBRATION_CONDITIONS and (held_out or for_calibration(one.identity))


def _forged(options: argparse.Namespace, scales: Scales | None) -> list[Prediction]:
    """Judge forgeries made from the calibration people's own footage."""
    torch.set_num_threads(options.threads)
    plain = registry.load(options.model)
    detector = plain if scales is None else TwofoldDetector(plain, scales)
    side = detector.crop_px
    footage = load_footage(options.crops, "val", for_training=False, crop_px=side)
    footage = [one for one in footage if one.row["label"] == "real"]
    films = [one for one in footage if one.frames > 1 and for_calibration(one.identity)]
    held_out = split_people(
        load_footage(options.crops, "train", for_training=False, crop_px=side), Recipe().held_out_share
    )[1]
    colour = [one for one in held_out if not one.grey][: options.portraits]
    forged = forge_footage([*films, *colour], SEED)
    chosen = [condition for condition in CONDITIONS if condition.name in CALIBRATION_CONDITIONS]
    return [one for condition in chosen for one in judge(detector, forged, condition)]


def _store(model: str, calibration: Calibration) -> None:
    folder, entry = registry.locate(model)
    weights = (folder / entry.file).read_bytes()
    write_entry(folder, entry.name, weights, calibration, contract_px(entry.contract) or 0)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.calibrate", description=__doc__)
    parser.add_argument("--crops", type=Path, required=True, help="folder that the export wrote")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="of val and of held_out")
    parser.add_argument("--model", default=registry.DEFAULT)
    parser.add_argument("--portraits", type=int, default=100, help="held-out portraits to forge")
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
