# SPDX-License-Identifier: Apache-2.0
"""Predictions in, tables of what is told apart out: by group, by method, by source, and by detectors without skill."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.baselines import TRIVIAL, best
from models.evaluation.groups import FAMILIES, groups
from models.evaluation.measures import FALSE_SHARES, Measured, Score, macro, mean_logit, measure, trial_of
from models.evaluation.predictions import Prediction
from models.evaluation.roc import auc_draws, clips_needed
from models.evaluation.tables import figure, markdown

__all__ = ["figures", "scan_table", "stills_table", "survey", "trivial_table"]

Floats = NDArray[np.float64]
HEAD: Final = (
    "forgery", "clips / people", "AUC", "within source", "equally sharp (share)", "best without skill", "EER",
    *(f"found at {share * 100:g} % false" for share in FALSE_SHARES), "above own original",
)  # fmt: skip


def survey(predictions: Sequence[Prediction], score: Score = mean_logit) -> list[Measured]:
    """Measure every group of one condition, all with the same draws of people."""
    people = sorted({one.identity for one in predictions if one.film})
    return [measure(group, score, people) for group in groups(predictions)]


def figures(measured: Sequence[Measured]) -> str:
    """Three tables: labels and families with their averages over methods, methods, methods within each source."""
    reals = measured[0].group.reals if measured else ()
    broad = [row for one in _of(measured, "label") for row in _with_macro(one, measured)]
    methods = [_row(one) for one in _of(measured, "method")]
    count = f"Against {len(reals)} bona fide clips of {len({one.identity for one in reals})} people.\n"
    return "\n".join([count, markdown(HEAD, broad), markdown(HEAD, methods), _sources_table(measured)])


def trivial_table(measured: Sequence[Measured]) -> str:
    """AUC of every detector without skill, in its better direction: + where forgeries have more of it."""
    rows = [
        (one.group.name, *(str(one.trivial.get(name, "")) for name in TRIVIAL))
        for kind in ("label", "family", "method")
        for one in _of(measured, kind)
    ]
    return markdown(("forgery", *TRIVIAL), rows)


def stills_table(predictions: Sequence[Prediction], score: Score = mean_logit) -> str:
    """Single pictures, source by source: each has few people, so the interval is over pictures of one camera."""
    rows = []
    for repo in sorted({one.repo for one in predictions if not one.film}):
        own = [one for one in predictions if not one.film and one.repo == repo]
        reals, fakes = ([one for one in own if (one.label == "real") is real] for real in (True, False))
        if reals and fakes:
            value = figure(auc_draws(trial_of(fakes, reals, score)))
            people = len({one.identity for one in own})
            rows.append((", ".join(sorted({one.label for one in fakes})), repo, str(people), str(len(fakes)),
                         str(len(reals)), value))  # fmt: skip
    return markdown(("stills", "source", "people", "forged", "bona fide", "AUC"), rows) if rows else ""


def scan_table(predictions: Sequence[Prediction]) -> str:
    """The short table of a scan's scores, of which no more is known than the score."""
    measured = survey(predictions)
    rows = [
        (one.group.name, "all bona fide", _clips(one), str(len(one.group.reals)), figure(one.across), _originals(one))
        for kind in ("label", "method")
        for one in _of(measured, kind)
    ]
    return markdown(("forgery", "against", "clips / people", "bona fide", "AUC [95 %]", "above own original"), rows)


def _sources_table(measured: Sequence[Measured]) -> str:
    """Methods within each source that has bona fide clips too: nothing but the forgery should differ."""
    rows = [
        (one.group.name, _clips(one), str(sum(real.repo == one.group.fakes[0].repo for real in one.group.reals)),
         figure(one.own.matched), _originals(one))
        for one in _of(measured, "source") if one.own.share > 0
    ]  # fmt: skip
    return markdown(("forgery, source", "clips / people", "bona fide", "AUC within source", "above own original"), rows)


def _of(measured: Sequence[Measured], kind: str) -> list[Measured]:
    return [one for one in measured if one.group.kind == kind]


def _with_macro(one: Measured, measured: Sequence[Measured]) -> list[tuple[str, ...]]:
    """A label's row, the average over its methods, and the same of its families."""
    rows = [_row(one), *_macro_rows(one.group.name, [m for m in _of(measured, "method") if _label(m) == _label(one)])]
    for family in _of(measured, "family"):
        if family.group.name in FAMILIES and _label(family) == _label(one):
            methods = [m for m in _of(measured, "method") if m.group.fakes[0].method in FAMILIES[family.group.name]]
            rows += [_row(family), *_macro_rows(family.group.name, methods)]
    return rows


def _macro_rows(name: str, methods: Sequence[Measured]) -> list[tuple[str, ...]]:
    if len(methods) < 2:
        return []
    averaged: tuple[Callable[[Measured], Floats], ...] = (
        lambda one: one.across, lambda one: one.own.matched, lambda one: one.sharpness.matched,
    )  # fmt: skip
    first = [figure(macro(methods, each)) for each in averaged]
    rest = [figure(macro(methods, lambda one: one.eer)), figure(macro(methods, lambda one: one.tpr[0])), ""]
    return [(f"{name}: mean of {len(methods)} methods", "", *first, "", *rest,
             figure(macro(methods, lambda one: one.originals)))]  # fmt: skip


def _row(one: Measured) -> tuple[str, ...]:
    trivial = best(one.trivial)
    sharp = figure(one.sharpness.matched)
    return (
        one.group.name,
        _clips(one),
        figure(one.across),
        figure(one.own.matched),
        f"{sharp} ({one.sharpness.share:.0%})" if sharp else "",
        f"{trivial.name} {trivial}" if trivial else "",
        figure(one.eer),
        *(_found(values, share, len(one.group.reals)) for values, share in zip(one.tpr, FALSE_SHARES, strict=True)),
        _originals(one),
    )


def _found(values: Floats, share: float, reals: int) -> str:
    """Share found at a false-positive rate; with too few bona fide clips that is the rate above all of them."""
    needed = clips_needed(share)
    if reals >= needed:
        return figure(values)
    return f"{figure(values)} at 0 of {reals}" if share == FALSE_SHARES[0] else f"needs {needed:,} clips"


def _originals(one: Measured) -> str:
    return f"{figure(one.originals)} of {one.pairs}" if one.pairs else ""


def _clips(one: Measured) -> str:
    return f"{len(one.group.fakes)} / {len({fake.identity for fake in one.group.fakes})}"


def _label(one: Measured) -> str:
    return one.group.fakes[0].label
