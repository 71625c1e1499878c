# SPDX-License-Identifier: Apache-2.0
"""Films with what the cues said of them in, Markdown tables of each cue and of all together out."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.matching import matched_draws, within
from models.evaluation.metrics import wilson
from models.evaluation.resamples import Scored, Trial, interval, trial
from models.evaluation.roc import auc_draws
from models.evaluation.tables import figure, markdown
from models.fusion.clips import Clip
from models.fusion.joined import fit, out_of_fold

__all__ = ["DETECTOR", "Figure", "across", "draws", "report", "signed", "within_sources"]

DETECTOR: Final = "detector"
LEAST_PEOPLE: Final = 5
"""An attack shown by fewer people says more about them than about the attack: it is left out of the means."""

Floats = NDArray[np.float64]
Score = Callable[[Clip], float | None]
Figure = Callable[[Trial, Sequence[Clip], Sequence[Clip]], Floats]


def report(clips: Sequence[Clip]) -> str:
    """Each cue by itself, the cues together and what each adds, the same within sources, and what fires on whom."""
    cues = sorted({cue for clip in clips for cue in clip.words}, key=lambda cue: (cue != DETECTOR, cue))
    measured = [cue for cue in cues if any(_measure(cue)(clip) is not None for clip in clips)]
    labels = sorted({clip.label for clip in clips if not clip.real})
    reals = [clip for clip in clips if clip.real]
    head = f"{len(reals)} bona fide films of {len({clip.identity for clip in reals})} people.\n"
    joined = [_alone(clips, cues, labels), _together(clips, measured, labels), _sources(clips, measured, labels)]
    return "\n".join([head, *joined, _accusations(clips, cues)])


def _alone(clips: Sequence[Clip], cues: Sequence[str], labels: Sequence[str]) -> str:
    """AUC of the mean measure of each cue, on the films where it could be taken."""
    rows = []
    for cue in cues:
        looks = sum(clip.words[cue].looks for clip in clips if cue in clip.words)
        silent = sum(clip.words[cue].looks * (1 - clip.words[cue].spoke) for clip in clips if cue in clip.words)
        cells = []
        for label in labels:
            films = sum(clip.label == label and _measure(cue)(clip) is not None for clip in clips)
            found = figure(draws(clips, label, _measure(cue), across))
            cells.append(f"{found} of {films}" if found else "")
        rows.append((cue, f"{silent / max(looks, 1):.0%}", *cells))
    return markdown(("cue alone", "abstained", *labels), rows)


def _together(clips: Sequence[Clip], cues: Sequence[str], labels: Sequence[str]) -> str:
    """The cues weighed together, each film scored by weights fitted on other people, and the same without each cue."""
    joined = fit(clips, cues)
    alone, everything = _means(clips, labels, (DETECTOR,)), _means(clips, labels, cues)
    rows = [_row("detector alone", "", alone, None), _row("all cues", "", everything, alone)]
    for cue, weight in zip(joined.cues, joined.weights, strict=True):
        rest = [other for other in cues if other != cue]
        if rest:
            rows.append(_row(f"all but {cue}", f"{weight:.2f}", _means(clips, labels, rest), everything))
    mean = f"mean ({LEAST_PEOPLE} people or more)"
    head = ("together", "weight of the cue", *labels, mean, "mean less detector alone; below: less all cues")
    return markdown(head, rows)


def _sources(clips: Sequence[Clip], cues: Sequence[str], labels: Sequence[str]) -> str:
    """The same against bona fide films of the attack's own source only, where nothing but the attack should differ."""
    scores: list[tuple[str, Score]] = [(cue, _measure(cue)) for cue in cues]
    joined = _joined(clips, cues)
    scores.append(("all cues", lambda clip: joined[clip.path]))
    rows = [(name, *(figure(draws(clips, label, score, within_sources)) for label in labels)) for name, score in scores]
    return markdown(("within source", *labels), rows)


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


def _measure(cue: str) -> Score:
    return lambda clip: clip.words[cue].measure if cue in clip.words else None


def _joined(clips: Sequence[Clip], cues: Sequence[str]) -> dict[str, float]:
    """Each film's score by the cues together, of weights fitted on other people."""
    return {clip.path: score for clip, score in zip(clips, out_of_fold(clips, cues), strict=True)}


def across(one: Trial, _fakes: Sequence[Clip], _reals: Sequence[Clip]) -> Floats:
    """AUC against all bona fide films."""
    return auc_draws(one)


def within_sources(one: Trial, fakes: Sequence[Clip], reals: Sequence[Clip]) -> Floats:
    """AUC against bona fide films of the attack's own source; NaN where there are none."""
    return matched_draws(one, within([fake.repo for fake in fakes], [real.repo for real in reals])).matched


def draws(clips: Sequence[Clip], label: str, score: Score, by: Figure, people: Sequence[str] = ()) -> Floats:
    """Draws of a figure of one label against bona fide films; NaN where one side was never measured."""
    known = [(clip, value) for clip in clips if (value := score(clip)) is not None]
    fakes = [(clip, value) for clip, value in known if clip.label == label]
    reals = [(clip, value) for clip, value in known if clip.real]
    if not fakes or not reals:
        return np.array([np.nan, np.nan])
    sides = [[Scored(clip.identity, value) for clip, value in side] for side in (fakes, reals)]
    return by(trial(sides[0], sides[1], people), [clip for clip, _ in fakes], [clip for clip, _ in reals])


def _means(clips: Sequence[Clip], labels: Sequence[str], cues: Sequence[str]) -> list[Floats]:
    """AUC draws of each label by the cues together, then of their mean; the same people are drawn for all."""
    scores = _joined(clips, cues)
    people = sorted({clip.identity for clip in clips})
    found = [draws(clips, label, lambda clip: scores[clip.path], across, people) for label in labels]
    crowds = [len({clip.identity for clip in clips if clip.label == label}) for label in labels]
    counted = [each for each, crowd in zip(found, crowds, strict=True) if crowd >= LEAST_PEOPLE]
    return [*found, np.mean(counted or found, axis=0)]


def _row(name: str, weight: str, found: Sequence[Floats], against: Sequence[Floats] | None) -> tuple[str, ...]:
    gain = "" if against is None else signed(found[-1] - against[-1])
    return (name, weight, *(figure(each) for each in found), gain)


def signed(differences: Floats) -> str:
    """A difference with its sign and its interval from all draws."""
    found = interval(differences)
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
