# SPDX-License-Identifier: Apache-2.0
"""Figures of the receiver operating characteristic are what a hand gets; people count, not clips."""

import numpy as np
import pytest

from models.errors import DataError
from models.evaluation.baselines import baselines, best
from models.evaluation.groups import Group
from models.evaluation.matching import alike, matched_draws, within
from models.evaluation.measures import macro, measure
from models.evaluation.resamples import Scored, interval, trial
from models.evaluation.roc import auc, auc_draws, auc_interval, clips_needed, eer_draws, tpr_draws
from tests.fakes.predictions import predicted


def people(prefix: str, *scores: float) -> list[Scored]:
    """A clip for each score, each of another person."""
    return [Scored(f"{prefix}{number}", float(score)) for number, score in enumerate(scores)]


def test_auc_by_hand() -> None:
    """Of the four comparisons two are won, one is a tie, one is lost."""
    assert auc(people("f", 0.9, 0.4), people("r", 0.4, 0.7)) == pytest.approx((1 + 1 + 0.5 + 0) / 4)


def test_people_weigh_the_same() -> None:
    """A person with nine clips counts as much as one with a single clip."""
    fakes = [Scored("a", 1.0)] * 9 + [Scored("b", -1.0)]
    assert auc(fakes, [Scored("c", 0.0)]) == pytest.approx(0.5)


def test_equal_error_rate_by_hand() -> None:
    """One of four fakes lies under one of four bona fide clips: a quarter of each is wrong."""
    found = eer_draws(trial(people("f", 1, 5, 6, 7), people("r", 0, 2, 3, -1), draws=0))
    assert found[0] == pytest.approx(0.25)
    assert eer_draws(trial(people("f", 5, 6), people("r", 1, 2), draws=0))[0] == pytest.approx(0.0)
    assert eer_draws(trial(people("f", 1, 2), people("r", 5, 6), draws=0))[0] == pytest.approx(1.0)


def test_a_single_fake_has_the_error_of_the_clips_above_it() -> None:
    """With two of three bona fide clips above it, no threshold does better than two thirds."""
    found = eer_draws(trial(people("f", 1.5), people("r", 1, 2, 3), draws=0))
    assert found[0] == pytest.approx(2 / 3)


def test_share_found_at_a_false_positive_rate_by_hand() -> None:
    """Of 200 bona fide clips two may lie above the threshold at 1 %, and none at 0.1 %."""
    reals = people("r", *range(200))
    one = trial(people("f", 197.5, 198.5, 199.5, 10), reals, draws=0)
    assert tpr_draws(one, 0.01)[0] == pytest.approx(3 / 4)
    assert tpr_draws(one, 0.001)[0] == pytest.approx(1 / 4)
    assert clips_needed(0.001) == 1000


def test_interval_is_wide_for_few_people() -> None:
    """Few people give no certainty, many give some; the value lies within."""
    rng = np.random.default_rng(0)
    few = auc_interval(people("f", *rng.normal(1, 1, 4)), people("r", *rng.normal(0, 1, 4)))
    many = auc_interval(people("f", *rng.normal(1, 1, 200)), people("r", *rng.normal(0, 1, 200)))
    assert few.low <= few.value <= few.high
    assert many.high - many.low < few.high - few.low
    assert many.low < 0.76 < many.high


def test_drawing_people_is_wider_than_drawing_clips() -> None:
    """Ten clips of one person say the same ten times: taken as ten people they would look certain."""
    rng = np.random.default_rng(1)
    names = [f"p{number}" for number in range(6) for _ in range(10)]
    own = np.repeat(rng.normal(0, 1, 6), 10)
    reals = people("r", *rng.normal(0, 1, 30))
    by_person = auc_interval([Scored(name, score) for name, score in zip(names, own, strict=True)], reals)
    by_clip = auc_interval(people("c", *own), reals)
    assert by_person.value == pytest.approx(by_clip.value)
    assert by_person.high - by_person.low > 1.5 * (by_clip.high - by_clip.low)


@pytest.mark.parametrize(("fakes", "reals"), [((), (1.0,)), ((1.0,), ()), ((float("nan"),), (1.0,))])
def test_one_class_alone_and_scores_that_are_no_numbers_are_refused(
    fakes: tuple[float, ...], reals: tuple[float, ...]
) -> None:
    """Rather than giving a figure."""
    with pytest.raises(DataError):
        trial(people("f", *fakes), people("r", *reals))


def test_matching_takes_a_planted_sharpness_shortcut_away() -> None:
    """A detector that only says how blurred a clip is has no skill among equally sharp clips."""
    rng = np.random.default_rng(2)
    fake_sharp, real_sharp = 2 ** rng.normal(2.6, 0.7, 300), 2 ** rng.normal(3.4, 0.7, 300)
    one = trial(people("f", *-fake_sharp), people("r", *-real_sharp))
    found = matched_draws(one, alike(fake_sharp, real_sharp))
    assert auc_draws(one)[0] > 0.75
    assert found.matched[0] == pytest.approx(0.5, abs=0.05)
    assert found.unmatched[0] > 0.72
    assert 0.9 < found.share <= 1.0


def test_matching_leaves_skill_alone() -> None:
    """A score that has nothing to do with sharpness is told apart as well among equally sharp clips."""
    rng = np.random.default_rng(3)
    fake_sharp, real_sharp = 2 ** rng.normal(2.6, 0.7, 300), 2 ** rng.normal(3.4, 0.7, 300)
    one = trial(people("f", *rng.normal(1.5, 1, 300)), people("r", *rng.normal(0, 1, 300)))
    found = matched_draws(one, alike(fake_sharp, real_sharp))
    assert found.matched[0] == pytest.approx(auc_draws(one)[0], abs=0.05)


def test_fakes_without_a_partner_are_left_out_and_counted() -> None:
    """One of two fakes has a bona fide clip of its source; nothing is said where none has."""
    one = trial(people("f", 3, 1), people("r", 2, 0))
    found = matched_draws(one, within(["a", "b"], ["a", "c"]))
    assert found.matched[0] == 1.0
    assert found.share == 0.5
    none = matched_draws(one, within(["x", "y"], ["a", "c"]))
    assert np.isnan(none.matched[0])
    assert none.share == 0.0
    assert str(interval(none.matched)) == ""


def test_trivial_detectors_are_reported_in_their_better_direction() -> None:
    """Shorter forgeries are told by length alone, downwards; what is not known of every clip is left out."""
    fakes = [predicted(f"f{n}", 0.0, label="swap", seconds=2.0, kbit_s=None) for n in range(3)]
    reals = [predicted(f"r{n}", 0.0, seconds=5.0 + n) for n in range(3)]
    found = baselines(fakes, reals)
    assert (found["length"].auc, found["length"].rising) == (1.0, False)
    assert str(found["length"]) == "1.00 -"
    assert found["brightness"].auc == 0.5
    assert "bitrate" not in found
    strongest = best(found)
    assert strongest is not None
    assert strongest.name == "length"


def test_a_group_is_measured_against_all_its_source_and_its_originals() -> None:
    """The fake lies above its own original and its source, and under a clip of another source."""
    reals = (
        predicted("r1", 0.1, pair="p1", repo="a", identity="x"),
        predicted("r2", 0.9, repo="b"),
    )
    fakes = (predicted("f1", 0.5, label="swap", pair="p1", repo="a", identity="x"),)
    found = measure(Group("label", "swap", fakes, reals))
    assert (found.across[0], found.own.matched[0], found.originals[0], found.pairs) == (0.5, 1.0, 1.0, 1)


def test_methods_count_the_same_in_their_average() -> None:
    """A method with many clips weighs no more than one with a single clip."""
    reals = tuple(predicted(f"r{n}", 0.0) for n in range(4))
    names = [f"r{n}" for n in range(4)] + [f"f{n}" for n in range(6)]
    good = tuple(predicted(f"f{n}", 1.0, label="swap", method="A") for n in range(5))
    bad = (predicted("f5", -1.0, label="swap", method="B"),)
    measured = [measure(Group("method", "x", fakes, reals), people=names) for fakes in (good, bad)]
    assert macro(measured, lambda one: one.across)[0] == pytest.approx(0.5)
    assert np.isnan(macro(measured, lambda one: one.own.matched * np.nan)[0])
