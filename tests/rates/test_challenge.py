# SPDX-License-Identifier: Apache-2.0
"""Chance passes of challenges, counted over looks."""

from collections import Counter
from itertools import islice

import pytest

from monitor.rates.challenge import KINDS, chance, endless, highest, table
from monitor.values import ChallengeKind, ChallengeState
from tests.fakes.answers import PER_S, Person, look

STILL = [look(10.0 + index / PER_S, Person()) for index in range(30)]


def test_a_film_goes_there_and_back() -> None:
    """Times only rise by the film's own steps, and no picture leaps to a distant one; a film of one look is none."""
    uneven = [look(at_s, Person()) for at_s in (5.0, 5.2, 5.5, 5.6)]
    times_s = [each.media_s for each in islice(endless(uneven), 10)]
    assert times_s == pytest.approx([5.0, 5.2, 5.5, 5.6, 5.7, 6.0, 6.2, 6.4, 6.7, 6.8])
    assert all(crop.media_s == each.media_s for each in islice(endless(uneven), 10) for crop in each.crops)
    assert list(endless(uneven[:1])) == []


def test_who_does_nothing_never_passes() -> None:
    """A still person fails to turn; one seed gives one verdict."""
    count = chance(STILL, ChallengeKind.TURN_HEAD, range(3))
    assert count == Counter({ChallengeState.FAILED: 3})
    assert chance([], ChallengeKind.TURN_HEAD, range(2)) == Counter({ChallengeState.INCONCLUSIVE: 2})


def test_a_film_that_passes_is_counted() -> None:
    """A head that happens to turn when it is asked passes: the count is not always 0."""
    moves = [Person(), Person(), *[Person(head=(25.0, 0.0))] * 6, *[Person()] * 9, *[Person(head=(-25.0, 0.0))] * 6]
    film = [look(index / PER_S, each) for index, each in enumerate([*[Person()] * 6, *moves])]
    count = chance(film, ChallengeKind.TURN_HEAD, range(200))
    assert count[ChallengeState.PASSED] > 0


def test_the_bound_is_that_of_the_binomial() -> None:
    """The rule of three, and the equation that defines it; whoever always passes is bounded by 1."""
    assert highest(0, 100) == pytest.approx(1 - 0.05 ** (1 / 100), rel=1e-6)
    assert (1 - highest(1, 10)) ** 10 + 10 * highest(1, 10) * (1 - highest(1, 10)) ** 9 == pytest.approx(0.05)
    assert highest(5, 5) == pytest.approx(1.0)
    assert highest(0, 0) == pytest.approx(1.0)


def test_the_table_has_a_line_for_each_kind() -> None:
    """Shares of what was decided, and of what was not."""
    counts = {kind: Counter({ChallengeState.FAILED: 3, ChallengeState.INCONCLUSIVE: 1}) for kind in KINDS}
    lines = table(counts, 4).splitlines()
    assert len(lines) == 2 + len(KINDS)
    assert lines[2] == "| `turn_head` | 4 | 0 | 0.527 | 0.75 | 0.25 |"
