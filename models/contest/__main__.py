# SPDX-License-Identifier: Apache-2.0
"""Crops and trained weights in, the contest of forger against detector and its table out.

`python -m models.contest CROPS RUN --from WEIGHTS --rounds R --minutes M`. RUN gets `log.jsonl`, `pool.json`,
`best.safetensors` and `contest.md`. `--plain` plays the same steps without searching, in `RUN/plain`, to compare with.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from models.contest.report import report
from models.contest.rounds import Contest, Pace
from models.data.excerpt import load_films
from models.errors import ModelError
from models.evaluation.conditions import named
from models.learning.recipe import Recipe
from models.setting import add_options, set_threads, training_people
from models.tuning import gentle, read_weights

__all__ = ["main"]

PLAIN_RUN = "plain"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the rounds and print their table; exit 1 with one line on stderr when it cannot go on."""
    options = _options(arguments)
    try:
        sys.stdout.write(_run(options))
    except ModelError as error:
        Console(stderr=True).print(f"the contest stopped: {error}")
        return 1
    return 0


def _run(options: argparse.Namespace) -> str:
    set_threads(options.threads)
    contest = _contest(options)
    state = contest.begin(lambda: read_weights(options.start))
    ends = time.monotonic() + 60 * options.minutes
    while state.number <= options.rounds and time.monotonic() < ends:
        state = contest.play(state)
    text = report(options.run, options.run / PLAIN_RUN)
    (options.run / "contest.md").write_text(text, encoding="utf-8")
    return text


def _contest(options: argparse.Namespace) -> Contest:
    recipe = gentle(replace(Recipe(), crop_px=options.crop_px or Recipe().crop_px), options.steps)
    learnt, _ = training_people(options.crops, recipe)
    judged = load_films(options.crops, "val", options.seconds, recipe.crop_px)
    pace = Pace(options.tries, options.clips, options.share, options.workers, options.device)
    run: Path = options.run / PLAIN_RUN if options.plain else options.run
    return Contest(
        run,
        recipe,
        pace,
        learnt=learnt,
        judged=judged,
        conditions=named(options.conditions),
        searching=not options.plain,
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.contest", description=__doc__)
    parser.add_argument("crops", type=Path, help="folder that the export wrote, with train and val")
    parser.add_argument("run", type=Path, help="folder for log, pool and weights; a contest found there goes on")
    parser.add_argument(
        "--from", dest="start", type=Path, required=True, help=".safetensors or checkpoint to start from"
    )
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=60.0, help="no round begins after this long")
    parser.add_argument("--steps", type=int, default=100, help="steps of learning in a round")
    parser.add_argument("--tries", type=int, default=16, help="forgers tried for each kind in a round")
    parser.add_argument("--clips", type=int, default=12, help="clips that each of them forges")
    parser.add_argument("--share", type=float, default=0.3, help="of the forgeries learnt from that are found ones")
    parser.add_argument("--conditions", nargs="+", default=["vp8"], help="in which validation films decide")
    parser.add_argument("--seconds", type=float, default=2.0, help="of every validation film")
    parser.add_argument("--plain", action="store_true", help="the same steps without searching, to compare with")
    add_options(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
