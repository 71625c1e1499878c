# SPDX-License-Identifier: Apache-2.0
"""Voices in, how often the recogniser hears the right digit out: python -m models.digits [--grid FOLDER] [--piper …].

Also what follows for a challenge of six digits: how often an honest speaker and a guess pass.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from math import comb
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.digits.call import in_noise, through_opus, with_pauses
from models.digits.recogniser import recognise
from models.digits.speakers import Spoken, grid, synthetic
from models.evaluation.metrics import wilson

__all__ = ["main"]

COUNT: Final = 6
Damage = Callable[[NDArray[np.int16], np.random.Generator], NDArray[np.int16]]

CONDITIONS: Final[dict[str, Damage]] = {
    "quiet": lambda sound, _: sound,
    "Opus": lambda sound, _: through_opus(sound),
    "Opus, 20 dB": lambda sound, random: through_opus(in_noise(sound, 20.0, random)),
    "Opus, 10 dB": lambda sound, random: through_opus(in_noise(sound, 10.0, random)),
    "Opus, 0 dB": lambda sound, random: through_opus(in_noise(sound, 0.0, random)),
}
"""Signal over noise."""

PATIENCE_S: Final = 500.0


def right(clips: Sequence[Spoken], damage: Damage, grammar: Literal["one", "grid"] = "one") -> list[bool]:
    """Whether each clip is heard as what was said."""
    random = np.random.default_rng(1)
    sounds = [damage(with_pauses(clip.samples, random), random) for clip in clips]
    return [clip.digit == digit for clip, digit in zip(clips, recognise(sounds, PATIENCE_S, grammar), strict=True)]


def passes(right_share: float, count: int = COUNT, wrong: int = 1) -> float:
    """How often at most `wrong` of `count` digits are not heard as asked."""
    return sum(comb(count, k) * (1 - right_share) ** k * right_share ** (count - k) for k in range(wrong + 1))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grid", type=Path, help="folder of GRID clips")
    parser.add_argument("--piper", type=Path, help="program of Piper")
    parser.add_argument("--voice", type=Path, help="voice of Piper")
    given = parser.parse_args()
    clips = list(synthetic(given.piper, given.voice))
    names = sorted({clip.voice for clip in clips})
    _say("voice", "said", *CONDITIONS)
    _say(*["---"] * (2 + len(CONDITIONS)))
    results = {name: right(clips, damage) for name, damage in CONDITIONS.items()}
    for name in names:
        own = [index for index, clip in enumerate(clips) if clip.voice == name]
        _say(name, len(own), *(_share([result[index] for index in own]) for result in results.values()))
    _say("all", len(clips), *(_share(result) for result in results.values()))
    if given.grid:
        people = list(grid(given.grid))
        _say("GRID", len(people), *(_share(right(people, each, "grid")) for each in CONDITIONS.values()))
    _say("an honest speaker passes", "", *(f"{passes(float(np.mean(each))):.3f}" for each in results.values()))
    _say("a guess passes", f"{passes(1 / 9):.1e}", *[""] * len(CONDITIONS))


def _share(hits: Sequence[bool]) -> str:
    return str(wilson(sum(hits), len(hits)))


def _say(*cells: object) -> None:
    sys.stdout.write("| " + " | ".join(map(str, cells)) + " |\n")


if __name__ == "__main__":
    main()
