# SPDX-License-Identifier: Apache-2.0
"""What further looks tell: series of known dependence."""

import numpy as np
import pytest

from monitor.rates.ways import Film, Judged
from monitor.rates.worth import Logits, correlation, rows, spread
from monitor.values import Evidence, FaceLook

SEED = 20261122


def noise(films: int = 40, looks: int = 200, alike: float = 0.0) -> list[Logits]:
    """Films of unit variance about levels of their own, neighbours correlated by `alike`."""
    source = np.random.default_rng(SEED)
    told = [np.zeros(looks) for _ in range(films)]
    for film in told:
        film[0] = source.normal()
        for at in range(1, looks):
            film[at] = alike * film[at - 1] + np.sqrt(1 - alike**2) * source.normal()
    return [film + source.normal() for film in told]


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
def test_the_correlation_is_that_within_films(alike: float) -> None:
    """Levels that films have of their own make no looks alike."""
    films = noise(alike=alike)
    assert correlation(films, 1) == pytest.approx(alike, abs=0.06)
    assert correlation(films, 2) == pytest.approx(alike**2, abs=0.08)


def test_looks_that_are_alike_tell_little_more() -> None:
    """Ten independent looks halve the variance of five; ten that are nearly the same leave it."""
    five, ten = range(0, 10, 2), range(10)
    assert spread(noise(), ten) / spread(noise(), five) == pytest.approx(np.sqrt(0.5), abs=0.06)
    alike = noise(alike=0.95)
    assert spread(alike, ten) / spread(alike, five) == pytest.approx(1.0, abs=0.03)


def test_seconds_without_a_word_are_left_out() -> None:
    """A look that was not judged leaves out its second, and too short a film is none."""
    films = noise(4)
    films[0][13] = np.nan
    whole = [np.delete(films[0], range(10, 20)), *films[1:]]
    assert spread([*films, np.array([100.0] * 19)], range(10)) == pytest.approx(spread(whole, range(10)))


def test_the_first_looks_and_films_without_a_word_do_not_count() -> None:
    """A column for each label; both opinions are told apart."""
    source = np.random.default_rng(SEED)

    def said(logit: float) -> Evidence:
        return Evidence("detector", 1, 0.0, 0.0, 1.0, {}, "", measure=logit)

    begin = [Judged(FaceLook(0.0), said(1e6), said(1e6))] * 12
    film: Film = [*begin, *(Judged(FaceLook(0.0), said(2.0 * step), said(source.normal())) for step in range(60))]
    lines = {
        title: cells for title, *cells in rows({"bona fide": [film, [Judged(FaceLook(0.0))] * 60], "forged": [film]})
    }
    assert all(float(cell) < 50.0 for cells in lines.values() for cell in cells)
    assert float(lines["correlation, 0.1 s apart, one state"][0]) > 0.9
    assert abs(float(lines["correlation, 0.1 s apart, two states"][1])) < 0.3
