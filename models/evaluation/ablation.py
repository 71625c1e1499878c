# SPDX-License-Identifier: Apache-2.0
"""What runs that differ in one thing said of the same files in, a Markdown table of what each thing is worth out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.groups import groups
from models.evaluation.metrics import Interval
from models.evaluation.predictions import Prediction
from models.evaluation.resamples import Scored, interval, trial
from models.evaluation.roc import auc_draws
from models.evaluation.tables import markdown

__all__ = ["Outcome", "ablation_table", "label_draws"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A variant, what it changes, how it tells twins of held-out people apart, and what it said of validation films."""

    name: str
    change: str
    held_out_auc: float
    held_out_pairs: float
    said: tuple[Prediction, ...]


def ablation_table(outcomes: Sequence[Outcome]) -> str:
    """One table a condition; the first outcome is the full recipe, with which the others are compared.

    Differences of macro AUC are taken within the same draws of people, so their intervals are those of the change.
    """
    parts = []
    for condition in dict.fromkeys(one.condition for one in outcomes[0].said):
        drawn = [label_draws(one.said, condition) for one in outcomes]
        labels = sorted(drawn[0])
        full = _macro(drawn[0])
        rows = [
            _row(one, found, labels, _macro(found) - full, first=one is outcomes[0])
            for one, found in zip(outcomes, drawn, strict=True)
        ]
        head = ("variant", "change", "held-out AUC", "held-out pairs", *labels, "macro", "macro less full [95 %]")
        parts.append(f"### Condition: {condition}\n\n{markdown(head, rows)}")
    return "\n".join(parts)


def label_draws(said: Sequence[Prediction], condition: str) -> Mapping[str, Floats]:
    """AUC of every label against all bona fide films, as observed and for every draw of people."""
    here = [one for one in said if one.condition == condition]
    people = sorted({one.identity for one in here})
    return {
        group.name: auc_draws(trial(_scored(group.fakes), _scored(group.reals), people))
        for group in groups(here)
        if group.kind == "label"
    }


def _row(one: Outcome, found: Mapping[str, Floats], labels: Sequence[str], gain: Floats, *, first: bool) -> list[str]:
    figures = [str(interval(found[label])) for label in labels]
    change = "" if first else _signed(interval(gain))
    macro = str(interval(_macro(found)))
    return [one.name, one.change, f"{one.held_out_auc:.3f}", f"{one.held_out_pairs:.3f}", *figures, macro, change]


def _macro(found: Mapping[str, Floats]) -> Floats:
    return np.asarray(np.mean(list(found.values()), axis=0), np.float64)


def _signed(one: Interval) -> str:
    return f"{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"


def _scored(files: Sequence[Prediction]) -> list[Scored]:
    return [Scored(one.identity, one.score) for one in files]
