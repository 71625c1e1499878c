# SPDX-License-Identifier: Apache-2.0
"""The evidence of a scan and labels in, what weights that cannot tell sources apart would gain out, as Markdown.

`lifesign scan FOLDER --evidence --json > SCAN`, then `python -m models.fusion.weighing SCAN --labels labels.csv
[--page docs/decisions/0052-cues-are-not-weighed.md]`.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from models.data.people import for_calibration
from models.errors import ModelError
from models.evaluation.section import rewrite
from models.evaluation.tables import markdown
from models.fusion.clips import Clip, read_clips
from models.fusion.gains import gains, reached
from models.fusion.joined import Fit, fit, out_of_fold
from models.fusion.paired import fit_pairs, ridge_losses
from models.fusion.table import DETECTOR

__all__ = ["main", "report"]

SECONDS: Final = 3.0
ALONE: Final = "network alone"
EVERYWHERE: Final = "all cues, fitted against all films"
IN_PAIRS: Final = "all cues, fitted within sources"
ELSEWHERE: Final = "the same, fitted on other sources"

Fits = Mapping[str, tuple[Fit, Sequence[str]]]
"""What fits the weights of which cues, by name; the first is what the others are compared with."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; exit 1 with one line on stderr when the input cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.fusion.weighing", description=__doc__)
    parser.add_argument("scan", type=Path, help="output of `lifesign scan --evidence --json`")
    parser.add_argument("--labels", type=Path, required=True, help="labels.csv of the footage that was scanned")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of every film; shorter ones are left out")
    parser.add_argument("--page", type=Path, help="rewrite the section of this file between its weights markers")
    options = parser.parse_args(arguments)
    try:
        found = report(read_clips(options.scan, options.labels, options.seconds))
        if options.page:
            rewrite(options.page, "weights", found)
        sys.stdout.write(found)
    except (ModelError, OSError) as error:
        Console(stderr=True).print(f"the cues cannot be weighed: {error}")
        return 1
    return 0


def report(clips: Sequence[Clip]) -> str:
    """Weights; gains by folds over people; gains and films above the origin for people who set nothing."""
    cues = _measured(clips)
    fits: Fits = {ALONE: (fit, (DETECTOR,)), EVERYWHERE: (fit, cues), IN_PAIRS: (fit_pairs, cues)}
    folded = {name: out_of_fold(clips, own, by) for name, (by, own) in fits.items()}
    folded[ELSEWHERE] = out_of_fold(clips, cues, fit_pairs, lambda clip: clip.repo)
    parts = [
        _weights(clips, cues, fits),
        "Every film scored by weights fitted on other people:\n",
        gains(clips, folded),
        "The half of the people that is reported on, by weights fitted on the other half:\n",
        *_apart(clips, fits),
    ]
    return "\n".join(parts)


def _apart(clips: Sequence[Clip], fits: Fits) -> tuple[str, str]:
    """What weighings fitted on the calibration half do for the other half."""
    mine = [clip for clip in clips if for_calibration(clip.identity)]
    reported = [clip for clip in clips if not for_calibration(clip.identity)]
    joined = {name: by(mine, own) for name, (by, own) in fits.items()}
    told = {name: [one.score(clip) for clip in reported] for name, one in joined.items()}
    return gains(reported, told), reached(mine, reported, joined)


def _measured(clips: Sequence[Clip]) -> list[str]:
    """Cues that measured anything, the network first."""
    found = {cue for clip in clips for cue, word in clip.words.items() if word.measure is not None}
    return sorted(found, key=lambda cue: (cue != DETECTOR, cue))


def _weights(clips: Sequence[Clip], cues: Sequence[str], fits: Fits) -> str:
    """Weights on all films, and the log loss of people left out by how far weights are pulled towards 0."""
    rows = []
    for name in (EVERYWHERE, IN_PAIRS):
        by, own = fits[name]
        rows.append((name, *(f"{weight:.2f}" for weight in by(clips, own).weights)))
    losses = ridge_losses(clips, cues)
    return "\n".join(
        [
            markdown(("weights, log odds a deviation", *cues), rows),
            markdown(
                ("ridge", *(f"{ridge:g}" for ridge in losses)),
                [("log loss", *(f"{one:.3f}" for one in losses.values()))],
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
