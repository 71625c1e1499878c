# SPDX-License-Identifier: Apache-2.0
"""Label rows of validation fakes in, folds out: which may be learnt from, and what each fold must not have seen.

A figure for a method comes from a model that saw neither the method, nor its people, nor its source; so sources that
share people or a family of methods are held out together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.data.crops import is_film
from models.data.licences import forbidden

__all__ = ["ATTACK_OF", "FOLDS", "Fold", "everything", "family", "learnable", "make_folds"]

FOLDS: Final = 4
CLASSIC: Final = "classic swap"
FAMILIES: Final[Mapping[str, str]] = {
    "PRNet swap": CLASSIC,
    "thin-plate-spline swap": CLASSIC,
    "triangulation swap": CLASSIC,
    "classic warp swap": CLASSIC,
    "DiffDub ablation": "DiffDub",
}
"""Methods that are variants of each other; any other method is a family of its own."""

ATTACK_OF: Final[Mapping[str, str]] = {
    "swap": "face_swap",
    "lipsync": "lip_sync",
    "reenact": "reenactment",
    "synthetic": "synthetic",
}
"""The labels of fakes that can be learnt from, and the kind of attack that the network is to say."""

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fold:
    """The files that a model of this fold learns from, and what it thereby knows."""

    name: str
    paths: frozenset[str]
    repos: frozenset[str]
    people: frozenset[str]
    families: frozenset[str]

    def unseen(self, row: Row) -> bool:
        """Whether a file, fake or bona fide, shows no person, method or source that this fold learns from."""
        known_method = row["label"] != "real" and family(row["method"]) in self.families
        return not known_method and row["identity"] not in self.people and row["repo"] not in self.repos


def family(method: str) -> str:
    """What a method is a variant of."""
    return FAMILIES.get(method, method)


def learnable(row: Row) -> bool:
    """Whether a row is a film of a fake under a licence that allows training.

    A licence that is for academic demonstration or research only allows none, nor does a missing one.
    """
    fake = row["split"] == "val" and row["label"] in ATTACK_OF
    return fake and is_film(row["path"]) and not forbidden(row["licence"])


def make_folds(rows: Sequence[Row], count: int = FOLDS) -> tuple[Fold, ...]:
    """Divide the learnable fakes into at most `count` folds of even size; each learns all but its own part.

    Deterministic: sources that belong together stay so, the largest group first, to the part that is smallest yet.
    """
    chosen = [row for row in rows if learnable(row)]
    parts: list[list[Row]] = [[] for _ in range(count)]
    for group in sorted(_groups(chosen), key=lambda one: (-len(one), one[0]["repo"])):
        min(parts, key=len).extend(group)
    held_out = [part for part in parts if part]
    return tuple(
        _fold(f"fold-{number}", [row for other in held_out if other is not part for row in other])
        for number, part in enumerate(held_out, 1)
    )


def everything(rows: Sequence[Row]) -> Fold:
    """The fold that learns from every learnable fake; no method of these sources can be judged by it."""
    return _fold("all", [row for row in rows if learnable(row)])


def _fold(name: str, rows: Sequence[Row]) -> Fold:
    return Fold(
        name,
        frozenset(row["path"] for row in rows),
        frozenset(row["repo"] for row in rows),
        frozenset(row["identity"] for row in rows),
        frozenset(family(row["method"]) for row in rows),
    )


def _groups(rows: Iterable[Row]) -> list[list[Row]]:
    """Join rows that share source, person or family, however indirectly."""
    groups: list[tuple[set[str], list[Row]]] = []
    for row in rows:
        marks = {f"repo {row['repo']}", f"person {row['identity']}", f"family {family(row['method'])}"}
        members = [row]
        apart = []
        for known, others in groups:
            if known & marks:
                marks |= known
                members = others + members
            else:
                apart.append((known, others))
        groups = [*apart, (marks, members)]
    return [members for _, members in groups]
