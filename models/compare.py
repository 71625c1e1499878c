# SPDX-License-Identifier: Apache-2.0
"""What two models said of the same footage in, how far they differ with paired intervals out, Markdown on stdout.

`python -m models.compare BEFORE AFTER`, both files made by `models.evaluate --out`.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from models.errors import DataError, ModelError
from models.evaluation.groups import groups
from models.evaluation.metrics import Interval
from models.evaluation.predictions import Prediction, read_predictions
from models.evaluation.resamples import Scored, interval, trial
from models.evaluation.roc import auc_draws
from models.evaluation.tables import markdown

__all__ = ["common", "compared", "main"]

KINDS: Final = ("label", "family")
MEAN: Final = "mean of the labels"
HEAD: Final = ("attack", "films", "AUC before", "AUC after", "gain [95 %]", "reading")
Floats = NDArray[np.float64]
Said = Sequence[Prediction]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; exit 1 with one line on stderr when the files cannot be compared."""
    options = _options(arguments)
    try:
        sys.stdout.write(compared(read_predictions(options.before), read_predictions(options.after)))
    except ModelError as error:
        Console(stderr=True).print(f"no comparison: {error}")
        return 1
    return 0


def compared(before: Said, after: Said) -> str:
    """One table a condition, over the films that both models judged; people are drawn alike for both (Efron 1979).

    The interval is that of the gain within the same draws: what is hard for both models does not widen it. Raises
    `DataError` when there are no fakes or no bona fide films that both judged.
    """
    first, second = common(before, after)
    parts = []
    for condition in dict.fromkeys(one.condition for one in first):
        here = [[one for one in said if one.condition == condition] for said in (first, second)]
        parts.append(f"### Condition: {condition}\n\n{_table(*here)}")
    if not parts:
        raise DataError("the two files have no film and condition in common")
    left_out = len({_key(one) for one in (*before, *after) if one.film}) - len(first)
    return "\n".join([*parts, f"Films that only one of them judged, left out: {left_out}.\n"])


def common(before: Said, after: Said) -> tuple[list[Prediction], list[Prediction]]:
    """The films that both judged, in the same order."""
    found = {_key(one): one for one in after if one.film}
    first = [one for one in before if one.film and _key(one) in found]
    return first, [found[_key(one)] for one in first]


def _key(one: Prediction) -> tuple[str, str]:
    return one.path, one.condition


def _table(before: Said, after: Said) -> str:
    people = sorted({one.identity for one in before})
    drawn = [_draws(said, people) for said in (before, after)]
    if not drawn[0]:
        raise DataError("fakes and bona fide films are both needed in every condition that is compared")
    sizes = {group.name: len(group.fakes) for group in groups(before) if group.kind in KINDS}
    labels = {group.name for group in groups(before) if group.kind == "label"}
    means = [np.asarray(np.mean([found[name] for name in sorted(labels)], axis=0), np.float64) for found in drawn]
    rows = [_row(name, str(sizes[name]), drawn[0][name], drawn[1][name]) for name in drawn[0]]
    return markdown(HEAD, [*rows, _row(MEAN, "", *means)])


def _draws(said: Said, people: Sequence[str]) -> Mapping[str, Floats]:
    """AUC of every label and family, as observed and for every draw of people."""
    return {
        group.name: auc_draws(trial(_scored(group.fakes), _scored(group.reals), people))
        for group in groups(said)
        if group.kind in KINDS
    }


def _row(name: str, films: str, before: Floats, after: Floats) -> tuple[str, ...]:
    gain = interval(after - before)
    change = f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    return name, films, str(interval(before)), str(interval(after)), change, _reading(gain)


def _reading(gain: Interval) -> str:
    if gain.low > 0.0:
        return "better"
    return "worse" if gain.high < 0.0 else "not to be told apart"


def _scored(files: Said) -> list[Scored]:
    return [Scored(one.identity, one.score) for one in files]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.compare", description=__doc__)
    parser.add_argument("before", type=Path, help="predictions of the model in use")
    parser.add_argument("after", type=Path, help="predictions of the model that may replace it")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
