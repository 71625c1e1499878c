# SPDX-License-Identifier: Apache-2.0
"""Films and scores by the network alone and by several weighings in, Markdown of what each weighing gains out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evaluation.newcomer import newcomer
from models.evaluation.resamples import interval
from models.evaluation.tables import figure, markdown
from models.fusion.clips import REAL, Clip
from models.fusion.joined import Joined
from models.fusion.table import Figure, across, draws, signed, within_sources

__all__ = ["Scores", "gains", "reached"]

LEAST_PEOPLE: Final = 5

Scores = Mapping[str, Sequence[float]]
"""Scores of all films by what weighed them; the first is the network alone."""

Floats = NDArray[np.float64]


def gains(clips: Sequence[Clip], scores: Scores) -> str:
    """AUC by label and its gain over the network alone: against all bona fide films, then within sources."""
    return f"{_gains(clips, scores, 'against all', across)}\n{_gains(clips, scores, 'within source', within_sources)}"


def reached(setting: Sequence[Clip], clips: Sequence[Clip], weighings: Mapping[str, Joined]) -> str:
    """How many films lie above what one new bona fide person in a hundred exceeds, as `setting` tells it.

    Where `setting` was fitted to as well, its bona fide films lie low, which favours the weighing.
    """
    labels = sorted({clip.label for clip in clips}, key=lambda label: (label != REAL, label))
    rows = []
    for name, weighed in weighings.items():
        origin = _origin(setting, weighed)
        rows.append(
            (name, *(_above([clip for clip in clips if clip.label == label], weighed, origin) for label in labels))
        )
    return markdown(("above the origin", *labels), rows)


def _gains(clips: Sequence[Clip], scores: Scores, title: str, by: Figure) -> str:
    labels = sorted({clip.label for clip in clips if not clip.real})
    found = {name: _by_label(clips, labels, own, by) for name, own in scores.items()}
    crowds = {label: len({clip.identity for clip in clips if clip.label == label}) for label in labels}
    known = [label for label in labels if np.isfinite(next(iter(found.values()))[label][0])]
    counted = [label for label in known if crowds[label] >= LEAST_PEOPLE]
    if not counted:
        raise DataError(f"no attack is shown by {LEAST_PEOPLE} people: what a weighing gains cannot be told")
    rows = list(_rows(found, known, counted))
    return markdown((title, *known, f"mean ({LEAST_PEOPLE} people or more)", "gain of the mean"), rows)


def _rows(
    found: Mapping[str, Mapping[str, Floats]], known: Sequence[str], counted: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    means = {name: np.mean([own[label] for label in counted], axis=0) for name, own in found.items()}
    base = next(iter(means.values()))
    for name, own in found.items():
        gain = "" if means[name] is base else signed(means[name] - base)
        yield (name, *(figure(own[label]) for label in known), str(interval(means[name])), gain)


def _by_label(clips: Sequence[Clip], labels: Sequence[str], own: Sequence[float], by: Figure) -> dict[str, Floats]:
    """Draws of each label; the same people are drawn for all."""
    score_of = {clip.path: score for clip, score in zip(clips, own, strict=True)}
    people = sorted({clip.identity for clip in clips})
    return {label: draws(clips, label, lambda clip: score_of[clip.path], by, people) for label in labels}


def _origin(clips: Sequence[Clip], weighed: Joined) -> float:
    """What one new bona fide person in a hundred is expected to exceed at worst."""
    worst: dict[str, float] = {}
    for clip in clips:
        if clip.real:
            score = weighed.score(clip)
            worst[clip.identity] = max(worst.get(clip.identity, score), score)
    return newcomer(worst.values()).origin


def _above(clips: Sequence[Clip], weighed: Joined, origin: float) -> str:
    return f"{sum(weighed.score(clip) > origin for clip in clips)} of {len(clips)}"
