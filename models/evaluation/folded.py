# SPDX-License-Identifier: Apache-2.0
"""What each fold's model and a baseline said of the same files in, figures of methods that no model had seen out.

A fake is compared with a bona fide clip only by models that saw neither's person, source nor method, and the baseline
by the very same comparisons, so that the gain is what learning from other makers' fakes brings.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evaluation.groups import groups
from models.evaluation.metrics import Interval
from models.evaluation.predictions import Prediction
from models.evaluation.resamples import interval, person_draws
from models.evaluation.tables import markdown

__all__ = ["FoldRun", "Gain", "fold_gain", "fold_table", "merged"]

KINDS: Final = ("label", "family", "method")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoldRun:
    """What one fold's model said, by path, of files that show nobody, no method and no source it learnt from."""

    name: str
    said: Mapping[str, Prediction]


class Gain(NamedTuple):
    """AUC without and with foreign fakes, and the difference, each with its 95 % interval over people."""

    without: Interval
    learnt: Interval
    gain: Interval


def merged(runs: Sequence[FoldRun]) -> list[Prediction]:
    """One prediction a file: the mean logit of every look over the models that may judge it."""
    said: dict[str, list[Prediction]] = {}
    for run in runs:
        for path, one in run.said.items():
            said.setdefault(path, []).append(one)
    return [replace(found[0], logits=_mean(found)) for found in said.values()]


def fold_gain(runs: Sequence[FoldRun], fakes: Sequence[Prediction], reals: Sequence[Prediction]) -> Gain | None:
    """Compare fakes with bona fide files, both as the baseline judged them, with what the folds said of the same.

    None where no fold's model may compare any of them.
    """
    allowed, above = _compared(runs, fakes, reals)
    if not allowed.any():
        return None
    before = _above(_scores(fakes), _scores(reals))
    people = sorted({one.identity for one in (*fakes, *reals)})
    weight_f = person_draws([one.identity for one in fakes], people)
    weight_r = person_draws([one.identity for one in reals], people)
    total = ((weight_f @ allowed) * weight_r).sum(axis=1)
    with np.errstate(invalid="ignore"):
        without = ((weight_f @ (allowed * before)) * weight_r).sum(axis=1) / total
        learnt = ((weight_f @ (allowed * above)) * weight_r).sum(axis=1) / total
    return Gain(interval(without), interval(learnt), interval(learnt - without))


def fold_table(baseline: Sequence[Prediction], runs: Sequence[FoldRun]) -> str:
    """Markdown: every label, family and method, with the models that judged it."""
    rows = []
    for group in groups(baseline):
        gain = fold_gain(runs, group.fakes, group.reals) if group.kind in KINDS else None
        if gain is None:
            continue
        judges = [run.name for run in runs if any(one.path in run.said for one in group.fakes)]
        people = len({one.identity for one in group.fakes})
        signed = f"{gain.gain.value:+.2f} [{gain.gain.low:+.2f}, {gain.gain.high:+.2f}]"
        sizes = f"{len(group.fakes)} / {people}"
        rows.append((group.kind, group.name, sizes, ", ".join(judges), str(gain.without), str(gain.learnt), signed))
    head = ("group", "forgery", "clips / people", "judged by", "AUC without [95 %]", "AUC with [95 %]", "gain [95 %]")
    return markdown(head, rows)


def _compared(
    runs: Sequence[FoldRun], fakes: Sequence[Prediction], reals: Sequence[Prediction]
) -> tuple[Floats, Floats]:
    """Whether any model may compare fake i with bona fide file j, and the share of such models that puts it above."""
    times = np.zeros((len(fakes), len(reals)))
    above = np.zeros_like(times)
    for run in runs:
        score_f, score_r = _said(run, fakes), _said(run, reals)
        both = np.outer(~np.isnan(score_f), ~np.isnan(score_r))
        times += both
        above += np.where(both, _above(score_f, score_r), 0.0)
    return (times > 0).astype(np.float64), above / np.maximum(times, 1)


def _above(fakes: Floats, reals: Floats) -> Floats:
    fake, real = fakes[:, None], reals[None, :]
    return np.asarray((fake > real) + 0.5 * (fake == real), np.float64)


def _scores(files: Iterable[Prediction]) -> Floats:
    return np.array([one.score for one in files])


def _said(run: FoldRun, files: Iterable[Prediction]) -> Floats:
    return np.array([run.said[one.path].score if one.path in run.said else np.nan for one in files])


def _mean(found: Sequence[Prediction]) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in np.mean([one.logits for one in found], axis=0))
