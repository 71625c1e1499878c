# SPDX-License-Identifier: Apache-2.0
"""Measured groups of several conditions in, a table with a column a condition out; below, what was abstained from."""

from collections.abc import Mapping, Sequence
from typing import Final

from models.evaluation.measures import Measured
from models.evaluation.predictions import Prediction
from models.evaluation.tables import figure, markdown

__all__ = ["Survey", "comparison", "lost", "named"]

Survey = Mapping[str, Sequence[Measured]]
"""Measured groups by condition."""

KINDS: Final = ("label", "family")


def named(measured: Sequence[Measured], name: str) -> Measured | None:
    """The group of that name, of a label or a family; None when it was not judged."""
    return next((one for one in measured if one.group.kind in KINDS and one.group.name == name), None)


def lost(surveys: Survey, name: str, before: str, after: str) -> float | None:
    """AUC lost from one condition to another; None when one of them was not judged."""
    first, second = (named(surveys.get(condition, ()), name) for condition in (before, after))
    return None if first is None or second is None else float(first.across[0] - second.across[0])


def comparison(surveys: Survey, predictions: Sequence[Prediction]) -> str:
    """AUC of labels and families by condition; below, the share of films and of looks that could not be judged."""
    names = dict.fromkeys(one.group.name for kind in KINDS for measured in surveys.values() for one in measured
                          if one.group.kind == kind)  # fmt: skip
    rows = [(name, *(_cell(measured, name) for measured in surveys.values())) for name in names]
    films = [one for one in predictions if one.film]
    paths = {one.path for one in films}
    own = [[one for one in films if one.condition == condition] for condition in surveys]
    rows.append(("films abstained from", *(f"{1 - len(some) / len(paths):.0%}" for some in own)))
    rows.append(("looks abstained from", *(_abstained(some) for some in own)))
    return markdown(("AUC against all bona fide", *surveys), rows)


def _cell(measured: Sequence[Measured], name: str) -> str:
    found = named(measured, name)
    return "" if found is None else figure(found.across)


def _abstained(films: Sequence[Prediction]) -> str:
    looked = sum(one.looked for one in films if one.looked is not None)
    judged = sum(len(one.logits) for one in films if one.looked is not None)
    return f"{1 - judged / looked:.1%}" if looked else ""
