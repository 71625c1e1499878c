# SPDX-License-Identifier: Apache-2.0
"""Forgeries that a contest found, as plain data to and from a file: kind, style, weight, and where they were found."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.data.making import StyledKind
from models.errors import DataError
from models.forgeries.mix import FORGERS
from models.forgeries.style import Style

__all__ = ["Found", "read_pool", "spelled_out", "styled", "write_pool"]


@dataclass(frozen=True, slots=True)
class Found:
    """A kind and style of forgery, how strong the damage was that it hid in (0..1), and how it fooled the detector.

    `fooled` is the share 0..1 of fresh forgeries that passed for bona fide, `plain` the same of the kind's published
    style; `fooled` is the weight in training.
    """

    kind: str
    style: Style
    damage: float
    fooled: float
    plain: float
    round: int


def spelled_out(row: dict[str, Any]) -> Found:
    """Make one found forgery of its fields as JSON has them; raises KeyError or TypeError for others."""
    return Found(**{**row, "style": Style(**row["style"])})


def styled(pool: Iterable[Found]) -> tuple[StyledKind, ...]:
    """What a recipe takes: each found forgery weighted by how often it fooled."""
    return tuple(StyledKind(one.kind, one.style, one.fooled) for one in pool)


def write_pool(file: Path, pool: Iterable[Found]) -> None:
    """Write a pool as a JSON list; a crash while writing leaves the one before in place."""
    fresh = file.with_suffix(".part")
    fresh.write_text(json.dumps([asdict(one) for one in pool], indent=1) + "\n", encoding="utf-8")
    fresh.replace(file)


def read_pool(file: Path) -> tuple[Found, ...]:
    """Read what `write_pool` wrote; raises `DataError` for anything else, and for a kind that is not known."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        pool = tuple(spelled_out(row) for row in rows)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{file} cannot be read as a pool of found forgeries: {error}") from error
    unknown = sorted({one.kind for one in pool} - set(FORGERS))
    if unknown:
        raise DataError(f"{file} names forgeries that are not made here: {', '.join(unknown)}")
    return pool
