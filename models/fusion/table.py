# SPDX-License-Identifier: Apache-2.0
"""Films with what the cues said of them in, Markdown tables of each cue and of all together out."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.metrics import wilson
from models.evaluation.resamples import Scored, interval, trial
from models.evaluation.roc import auc_draws
from models.evaluation.tables import figure, markdown
from models.fusion.clips import Clip
from models.fusion.joined import fit, out_of_fold

__all__ = ["DETECTOR", "report"]

DETECTOR: Final = "detector"
Floats = NDArray[np.float64]
Score = Callable[[Clip], float | None]


def report(clips: Sequence[Clip]) -> str:
    """Three tables: each cue by itself, the cues together and what each adds, what fires on bona fide people."""
    cues = sorted({cue for clip in clips for cue in clip.words}, key=lambda cue: (cue != DETECTOR, cue))
    labels = sorted({clip.label for clip in clips if not clip.real})
    reals = [clip for clip in clips if clip.real]
    head = f"{len(reals)} bona fide films of {len({clip.identity for clip in reals})} people.\n"
    return "\n".join([head, _alone(clips, cues, labels), _together(clips, cues, labels), _accusations(clips, cues)])


def _alone(clips: Sequence[Clip], cues: Sequence[str], labels: Sequence[str]) -> str:
    """AUC of the mean measure of each cue, on the films where it could be taken."""
    rows = []
    for cue in cues:
        looks = sum(clip.words[cue].looks for clip in clips if cue in clip.words)
        silent = sum(clip.words[cue].looks * (1 - clip.words[cue].spoke) for clip in clips if cue in clip.words)
        figures = [_count(clips, label, _measure_of(cue)) for label in labels]
        rows.append((cue, f"{silent / max(looks, 1):.0%}", *figures))
    return markdown(("cue alone", "abstained", *labels), rows)


def _together(clips: Sequence[Clip], cues: Sequence[str], labels: Sequence[str]) -> str:
    """The cues weighed together, each film scored by weights fitted on other people, and the same without each cue."""
    joined = fit(clips, cues)
    alone = _means(clips, labels, (DETECTOR,))
    everything = _means(clips, labels, cues)
    rows = [_row("detector alone", "", alone, None), _row("all cues", "", everything, alone)]
    for cue, weight in zip(joined.cues, joined.weights, strict=True):
        rest = [other for other in cues if other != cue]
        if rest:
            rows.append(_row(f"all but {cue}", f"{weight:.2f}", _means(clips, labels, rest), everything))
    head = ("together", "weight of the cue", *labels, "mean", "mean less detector alone; below: less all cues")
    return markdown(head, rows)


def _accusations(clips: Sequence[Clip], cues: Sequence[str]) -> str:
    """Films on which a cue gave evidence of an attack at any look, and films that were alerted."""
    groups = [[clip for clip in clips if clip.real is real] for real in (True, False)]
    rows = []
    for cue in cues:
        hits = [sum(cue in clip.words and clip.words[cue].accused > 0.0 for clip in group) for group in groups]
        rows.append((cue, *(f"{hit} of {len(group)}" for hit, group in zip(hits, groups, strict=True))))
    alerts = [wilson(sum(clip.alerted for clip in group), len(group)) for group in groups]
    rows.append(("alerted", *(str(share) for share in alerts)))
    return markdown(("evidence of an attack at some look", "bona fide films", "attacks"), rows)


def _measure_of(cue: str) -> Score:
    return lambda clip: clip.words[cue].measure if cue in clip.words else None


def _count(clips: Sequence[Clip], label: str, score: Score) -> str:
    draws, films = _auc(clips, label, score, ())
    return f"{figure(draws)} of {films}" if films else ""


def _auc(clips: Sequence[Clip], label: str, score: Score, people: Sequence[str]) -> tuple[Floats, int]:
    known = [(clip, value) for clip in clips if (value := score(clip)) is not None]
    fakes = [Scored(clip.identity, value) for clip, value in known if clip.label == label]
    reals = [Scored(clip.identity, value) for clip, value in known if clip.real]
    if not fakes or not reals:
        return np.array([np.nan]), 0
    return auc_draws(trial(fakes, reals, people)), len(fakes)


def _means(clips: Sequence[Clip], labels: Sequence[str], cues: Sequence[str]) -> list[Floats]:
    """AUC draws of each label by the cues together, then of their mean; the same people are drawn for all."""
    scores = {clip.path: score for clip, score in zip(clips, out_of_fold(clips, cues), strict=True)}
    people = sorted({clip.identity for clip in clips})
    draws = [_auc(clips, label, lambda clip: scores[clip.path], people)[0] for label in labels]
    return [*draws, np.mean(draws, axis=0)]


def _row(name: str, weight: str, draws: Sequence[Floats], against: Sequence[Floats] | None) -> tuple[str, ...]:
    gain = "" if against is None else _signed(draws[-1] - against[-1])
    return (name, weight, *(figure(each) for each in draws), gain)


def _signed(draws: Floats) -> str:
    found = interval(draws)
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
