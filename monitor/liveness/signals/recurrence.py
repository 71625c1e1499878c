# SPDX-License-Identifier: Apache-2.0
"""A history of movement in, how well its last stretch was there before out, forwards and backwards.

The measure is the cosine of two stretches of fingerprints, read along the diagonals of a recurrence plot (Eckmann,
Kamphorst and Ruelle 1987, Europhysics Letters 4), which is how repeats are found in video copy detection.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

__all__ = ["TIE", "Recurrence", "likeness", "recurrence"]

TIE: Final = 0.05
"""A recording that went round several times was there several times: then the latest counts, forwards first."""

LEAST_ENERGY: Final = 1e-6

Floats = NDArray[np.float32]


class Recurrence(NamedTuple):
    """Cosine -1..1 with the best earlier stretch, which ended `looks` looks ago; backwards when `mirrored`."""

    likeness: float
    looks: float
    mirrored: bool


def recurrence(history: Floats, window: int, least_looks: int) -> Recurrence:
    """Find the earlier stretch most like the last `window` rows of `history` [N, D], `least_looks` or more before it.

    A mirrored stretch ends before the last one begins: every movement there and back resembles its own reverse. Half a
    step between looks is looked for too, since a loop is seldom a whole number of looks long.
    """
    if len(history) <= window:
        return Recurrence(0.0, 0.0, mirrored=False)
    products = np.ascontiguousarray(history[-window:] @ history.T)
    whole = _running_sums(np.square(history).sum(axis=1), window)
    neighbours = _running_sums((history[1:] * history[:-1]).sum(axis=1), window)
    found = [
        _best(cosines, least, half, mirrored=mirrored)
        for table, least, mirrored in ((products, least_looks, False), (products[::-1].copy(), window, True))
        for cosines, half in _cosines(_diagonal_sums(table), whole, neighbours)
    ]
    best = max(one.likeness for one in found)
    return min((one for one in found if one.likeness >= best - TIE), key=lambda one: (one.mirrored, one.looks))


def likeness(one: Floats, other: Floats) -> float:
    """Cosine -1..1 of two stretches [W, D]."""
    return float((one * other).sum() / max(float(np.linalg.norm(one) * np.linalg.norm(other)), LEAST_ENERGY))


def _cosines(products: Floats, whole: Floats, neighbours: Floats) -> tuple[tuple[Floats, float], tuple[Floats, float]]:
    """Cosines with every stretch, and with the means of neighbouring looks: half a look earlier."""
    own = float(whole[-1])
    between = np.asarray((whole[1:] + whole[:-1] + 2.0 * neighbours) / 4.0, np.float32)
    halves = np.asarray((products[1:] + products[:-1]) / 2.0, np.float32)
    return (_scaled(products, np.asarray(whole * own, np.float32)), 0.0), (
        _scaled(halves, np.asarray(between * own, np.float32)),
        0.5,
    )


def _scaled(products: Floats, squares: Floats) -> Floats:
    return np.asarray(products / np.sqrt(np.maximum(squares, LEAST_ENERGY)), np.float32)


def _best(cosines: Floats, least_looks: int, half: float, *, mirrored: bool) -> Recurrence:
    """The best of the stretches that end at least `least_looks` before the newest; of equals the latest."""
    newest = len(cosines) - 1
    usable = cosines[: max(0, newest - least_looks + 1)]
    if not len(usable):
        return Recurrence(0.0, 0.0, mirrored)
    best = int(np.flatnonzero(usable >= usable.max() - TIE)[-1])
    return Recurrence(float(usable[best]), newest - best + half, mirrored)


def _diagonal_sums(table: Floats) -> Floats:
    """Sums along the falling diagonals of [W, N] that begin in the first row: [N - W + 1]."""
    window, length = table.shape
    down, right = table.strides
    skewed = as_strided(table, (window, length - window + 1), (down + right, right), writeable=False)
    return np.asarray(skewed.sum(axis=0))


def _running_sums(values: Floats, window: int) -> Floats:
    """Sums of `window` consecutive values of [N]: [N - window + 1]."""
    return np.convolve(values, np.ones(window, np.float32), "valid").astype(np.float32)
