# SPDX-License-Identifier: Apache-2.0
"""Predictions in, Markdown tables of figures per label, method and source out."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from models.evaluation.metrics import Scored, auc_interval, pair_share
from models.evaluation.predictions import Prediction

__all__ = ["Group", "groups", "markdown", "table"]

LEAST_CLIPS: Final = 2
Score = Callable[[Prediction], float]


class Group(NamedTuple):
    """Fakes of one kind with the bona fide clips they are compared with."""

    name: str
    against: str
    fakes: tuple[Prediction, ...]
    reals: tuple[Prediction, ...]


def groups(predictions: Sequence[Prediction]) -> list[Group]:
    """Group by label, by method, and by method within one source where that source has bona fide clips too."""
    films = [one for one in predictions if one.film]
    reals = [one for one in films if one.label == "real"]
    fakes = [one for one in films if one.label != "real"]
    found = [Group(label, "all bona fide", _of(fakes, label=label), tuple(reals)) for label in _values(fakes, "label")]
    for label in _values(fakes, "label"):
        chosen = _of(fakes, label=label)
        found += [
            Group(f"{label}: {method}", "all bona fide", _of(chosen, method=method), tuple(reals))
            for method in _values(chosen, "method")
        ]
        for repo in _values(chosen, "repo"):
            found += [
                Group(f"{label}: {method}", repo, _of(chosen, method=method, repo=repo), _of(reals, repo=repo))
                for method in _values(_of(chosen, repo=repo), "method")
            ]
    images = [one for one in predictions if not one.film]
    for repo in _values(images, "repo"):
        own = [one for one in images if one.repo == repo]
        found.append(Group("replay: stills", repo, tuple(o for o in own if o.label != "real"), _of(own, label="real")))
    return [one for one in found if one.fakes and len(one.reals) >= LEAST_CLIPS]


def table(predictions: Sequence[Prediction], score: Score) -> str:
    """Clip AUC beside the AUC of blur alone, and how many fakes lie above their own original."""
    originals = {one.pair: one for one in predictions if one.label == "real" and one.pair}
    rows = []
    for group in groups(predictions):
        fakes, reals = _scored(group.fakes, score), _scored(group.reals, score)
        blurred = _blur_alone(group)
        paired = [(score(fake), score(originals[fake.pair])) for fake in group.fakes if fake.pair in originals]
        pairs = f"{pair_share(*zip(*paired, strict=True)):.2f} of {len(paired)}" if paired else ""
        people = len({one.identity for one in group.fakes})
        rows.append((group.name, group.against, f"{len(fakes)} / {people}", str(len(reals)),
                     str(auc_interval(fakes, reals)), blurred, pairs))  # fmt: skip
    head = (
        "forgery",
        "against",
        "clips / people",
        "bona fide",
        "AUC [95 %]",
        "AUC of blur alone",
        "above own original",
    )
    return markdown(head, rows)


def _blur_alone(group: Group) -> str:
    """AUC of the trivial detector; empty where the sharpness is not known, as in a scan's output."""
    if not all(any(one.sharpness) for one in (*group.fakes, *group.reals)):
        return ""
    return f"{auc_interval(_scored(group.fakes, blur), _scored(group.reals, blur)).value:.2f}"


def blur(prediction: Prediction) -> float:
    """The trivial detector: the blurrier, the more forged."""
    return -float(np.mean(prediction.sharpness))


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a Markdown table."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"


def _scored(predictions: Iterable[Prediction], score: Score) -> list[Scored]:
    return [Scored(one.identity, score(one)) for one in predictions]


def _values(predictions: Iterable[Prediction], field: str) -> list[str]:
    return sorted({str(getattr(one, field)) for one in predictions})


def _of(predictions: Iterable[Prediction], **wanted: str) -> tuple[Prediction, ...]:
    return tuple(one for one in predictions if all(getattr(one, name) == value for name, value in wanted.items()))
