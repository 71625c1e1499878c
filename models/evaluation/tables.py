# SPDX-License-Identifier: Apache-2.0
"""Cells and rows in, Markdown tables out."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.evaluation.resamples import interval

__all__ = ["figure", "markdown", "seconds"]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a Markdown table."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"


def figure(values: NDArray[np.float64]) -> str:
    """A figure with its interval from all draws; empty where there is nothing to compare."""
    return str(interval(values))


def seconds(value: float, last_s: float) -> str:
    """A delay; "never" when it did not happen within the time watched."""
    return f"{value:.1f} s" if math.isfinite(value) else f"> {last_s:.0f} s"
