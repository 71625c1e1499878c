# SPDX-License-Identifier: Apache-2.0
"""An arena in, the kinds and styles of forgery that its detector lets pass most often out.

The search is a tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011) as Optuna has it, one for each kind, so
that the easiest kind does not take all attempts. Whatever it finds is tried again on clips that it never met: the best
of many noisy attempts is otherwise partly luck.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import optuna

from models.contest.arena import Arena, Attempt, Bout
from models.forgeries.style import PLAIN, Style
from models.learning.pool import Found

__all__ = ["STYLE_BOUNDS", "cost", "search", "verified"]

STYLE_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "colour": (0.25, 2.0),
    "detail": (0.25, 2.0),
    "softness": (0.25, 2.0),
    "displacement": (0.25, 2.0),
    "bending": (0.25, 2.0),
    "enhanced": (0.0, 1.0),
    "transparent": (0.0, 1.0),
}
STRENGTHS: Final = (0.0, 0.5, 1.0)
STARTING: Final = 4
"""Attempts that are drawn evenly before the estimator takes over; the first is the published style."""

KEPT_PER_KIND: Final = 2
IMPLAUSIBLE: Final = 8.0
"""Cost of a forgery that is none, in logits: more than any detector gives away."""


def search(arena: Arena, kinds: Sequence[str], tries: int, seed: int) -> list[Attempt]:
    """Try `tries` ways of each kind; the best of each kind, the most fooling first."""
    found = []
    for place, kind in enumerate(kinds):
        found += _search_kind(arena, kind, tries, seed + place)[:KEPT_PER_KIND]
    return found


def verified(arena: Arena, attempts: Iterable[Attempt], number: int) -> list[Found]:
    """Keep the attempts that fool more often than their kind's published style does, on an arena of fresh clips."""
    plain: dict[tuple[str, float], Bout] = {}
    found = []
    for one in attempts:
        key = one.kind, one.damage
        if key not in plain:
            plain[key] = arena.hold(Attempt(one.kind, PLAIN, one.damage))
        bout = arena.hold(one)
        if bout.plausible >= 0.5 and bout.passed > 0 and cost(bout) < cost(plain[key]):
            found.append(Found(one.kind, one.style, one.damage, bout.passed, plain[key].passed, number))
    return found


def cost(bout: Bout) -> float:
    """What the forger lessens, in logits: margin over the original, logit over the passing level, implausibility."""
    shown = 0.5 * (bout.margin + bout.over_level)
    return bout.plausible * shown + (1.0 - bout.plausible) * IMPLAUSIBLE


def _search_kind(arena: Arena, kind: str, tries: int, seed: int) -> list[Attempt]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTING))
    study.enqueue_trial({name: getattr(PLAIN, name) for name in STYLE_BOUNDS} | {"damage": STRENGTHS[1]})
    done: list[tuple[float, Attempt]] = []
    for _ in range(tries):
        trial = study.ask()
        attempt = _suggested(trial, kind)
        price = cost(arena.hold(attempt))
        study.tell(trial, price)
        done.append((price, attempt))
    return [attempt for _, attempt in sorted(done, key=lambda one: one[0])]


def _suggested(trial: optuna.Trial, kind: str) -> Attempt:
    values = {name: round(trial.suggest_float(name, *bounds), 3) for name, bounds in STYLE_BOUNDS.items()}
    return Attempt(kind, Style(**values), float(trial.suggest_categorical("damage", STRENGTHS)))
