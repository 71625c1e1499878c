# SPDX-License-Identifier: Apache-2.0
"""Recurrence: the same numbers as the plain definition, and the right stretch found, forwards and backwards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.liveness.signals.recurrence import TIE, likeness, recurrence

WINDOW = 12


def noise(rows: int, seed: int, dimensions: int = 16) -> np.ndarray:
    """Rows that have nothing in common."""
    return np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)


@given(rows=st.integers(0, 40), window=st.integers(2, 15), least=st.integers(1, 10), seed=st.integers(0, 99))
def test_it_is_the_cosine_with_the_stretch_it_names(rows: int, window: int, least: int, seed: int) -> None:
    """Whatever the lengths: no stretch is more alike, and the one named is as alike as said."""
    history = noise(rows, seed, 4)
    found = recurrence(history, window, least)
    between = 0.5 * (history[1:] + history[:-1])
    last = history[-window:]
    plain = []
    for mirrored, before in ((False, least), (True, window)):
        for half, earlier in ((0.0, history), (0.5, between)):
            count = len(earlier) - window + 1
            for start in range(max(0, count - before)):
                cosine = likeness(last[::-1] if mirrored else last, earlier[start : start + window])
                plain.append((cosine, count - 1 - start + half, mirrored))
    if not plain:
        assert found.likeness == 0.0
        return
    assert found.likeness >= max(0.0, *(cosine for cosine, *_ in plain)) - 2 * TIE - 1e-4
    named = [cosine for cosine, looks, mirrored in plain if (looks, mirrored) == (found.looks, found.mirrored)]
    assert found.looks == 0.0 or named == pytest.approx([found.likeness], abs=1e-4)


def test_a_stretch_that_stands_still_resembles_nothing() -> None:
    """No division by zero, no likeness by chance."""
    history = np.concatenate((np.zeros((20, 16), np.float32), noise(WINDOW, 1)))
    assert recurrence(history, WINDOW, WINDOW).likeness == 0.0
    assert recurrence(np.zeros((60, 16), np.float32), WINDOW, 5).likeness == 0.0


def test_what_comes_back_is_found_with_its_distance() -> None:
    """The same rows 30 looks later, with a little noise on them."""
    played = noise(30, 2)
    history = np.concatenate((played, played + 0.1 * noise(30, 3)))
    found = recurrence(history, WINDOW, 5)
    assert found.likeness > 0.95
    assert (found.looks, found.mirrored) == (30.0, False)


def test_what_comes_back_between_two_looks_is_found_too() -> None:
    """A smooth movement whose period is half a look longer than a whole number."""
    path = noise(12, 4)
    times = np.arange(80) % 30.5
    smooth = np.stack([np.interp(times, np.linspace(0, 30.5, 12), path[:, column]) for column in range(16)], axis=1)
    found = recurrence(smooth.astype(np.float32), WINDOW, 5)
    assert found.likeness > 0.95
    assert found.looks in (30.5, 61.0)


def test_what_is_played_backwards_is_found_as_such() -> None:
    """There and back again."""
    played = noise(40, 5)
    found = recurrence(np.concatenate((played, played[::-1])), WINDOW, 5)
    assert found.likeness > 0.95
    assert found.mirrored


def test_a_movement_is_not_its_own_past() -> None:
    """Neither the last stretch itself nor its own reverse counts."""
    assert recurrence(noise(200, 6), WINDOW, 5).likeness < 0.6
    assert recurrence(noise(WINDOW + 2, 7), WINDOW, 5).likeness == 0.0
