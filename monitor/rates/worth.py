# SPDX-License-Identifier: Apache-2.0
"""What the network said of films, look by look, in; what a further look in a second tells out; pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.rates.ways import CLOSE_PER_S, Film, Judged
from monitor.values import Evidence

__all__ = ["correlation", "rows", "spread"]

WARM_UP_LOOKS: Final = 12
"""Twice what the network's temporal head looks back on: until then a state knows less than it will."""

PER_SECOND: Final = round(CLOSE_PER_S)

Logits = NDArray[np.float64]
"""Of each look at a film, float64 [n], ten a second; not a number where the network had no word."""

Word = Callable[[Judged], Evidence | None]


def correlation(films: Iterable[Logits], lag: int) -> float:
    """How alike logits `lag` looks apart are, about the mean of their film: 1 alike, 0 independent."""
    centred = [film - np.nanmean(film) for film in films]
    together = np.concatenate([film[lag:] * film[:-lag] for film in centred])
    return float(np.nanmean(together) / np.nanmean(np.concatenate(centred) ** 2))


def spread(films: Iterable[Logits], places: Sequence[int]) -> float:
    """Standard deviation of a second's mean logit within a film, of the looks at these places of the second's ten."""
    seconds = (film[: len(film) // PER_SECOND * PER_SECOND].reshape(-1, PER_SECOND)[:, places] for film in films)
    whole = (second[~np.isnan(second).any(axis=1)].mean(axis=1) for second in seconds)
    return float(np.sqrt(fmean(float(means.var(ddof=1)) for means in whole if len(means) > 1)))


def rows(films: Mapping[str, Sequence[Film]]) -> list[tuple[str, ...]]:
    """Lines of a table with a title, and a cell for each label."""
    turns = {label: _logits(each, lambda look: look.other) for label, each in films.items()}
    joined = {label: _logits(each, lambda look: look.every) for label, each in films.items()}
    told: dict[str, Callable[[str], float]] = {
        "correlation, 0.1 s apart, two states": lambda label: correlation(turns[label], 1),
        "correlation, 0.2 s apart, the same of the two": lambda label: correlation(turns[label], 2),
        "correlation, 0.1 s apart, one state": lambda label: correlation(joined[label], 1),
        "spread of a second's mean, five looks": lambda label: spread(turns[label], range(0, PER_SECOND, 2)),
        "spread, the five between": lambda label: spread(turns[label], range(1, PER_SECOND, 2)),
        "spread, ten looks, two states": lambda label: spread(turns[label], range(PER_SECOND)),
        "spread, ten looks, one state": lambda label: spread(joined[label], range(PER_SECOND)),
    }
    return [(title, *(f"{value(label):.2f}" for label in films)) for title, value in told.items()]


def _logits(films: Sequence[Film], word: Word) -> list[Logits]:
    """Of the films of which there is any word."""
    told = [np.array([_logit(word(look)) for look in film[WARM_UP_LOOKS:]], np.float64) for film in films]
    return [film for film in told if not np.isnan(film).all()]


def _logit(said: Evidence | None) -> float:
    return np.nan if said is None or said.measure is None else said.measure
