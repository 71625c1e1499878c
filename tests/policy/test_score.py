# SPDX-License-Identifier: Apache-2.0
"""Scores on the contract's scale."""

import math

import pytest

from monitor.policy.score import RecentScore, score_of_nats
from tests.fakes.timeline import evidence


def test_recent_follows_and_mean_remembers():
    """After a change the recent score is near the new level, the mean half way."""
    score = RecentScore()
    for index in range(100):
        score.add(index / 5, [evidence(index / 5, 0.0, score=0.0)])
    for index in range(100, 200):
        score.add(index / 5, [evidence(index / 5, 0.0, score=1.0)])
    assert score.recent == pytest.approx(1 - math.exp(-4), abs=0.01)
    assert score.mean == pytest.approx(0.5)


def test_reliability_weighs():
    """An observation of a third of the reliability counts a third."""
    score = RecentScore()
    score.add(0.0, [evidence(0.0, 0.0, score=1.0, reliability=0.3), evidence(0.0, 0.0, score=0.0, reliability=0.9)])
    assert score.recent == pytest.approx(0.25)
    assert score.mean == pytest.approx(0.25)


def test_without_scores_there_is_none():
    """Nothing is made up while no cue gives a score."""
    score = RecentScore()
    score.add(0.0, [evidence(0.0, 1.0, score=None)])
    assert score.recent is None
    assert score.mean is None


@pytest.mark.parametrize(
    ("rarity", "expected"), [(1e0, 0.0), (1e-3, 0.5), (1e-4, 0.7), (1e-5, 0.85), (1e-8, 1.0), (1e-20, 1.0)]
)
def test_nats_read_on_the_contract_scale(rarity, expected):
    """Evidence that one bona fide stretch in 1,000 reaches reads 0.5, and so on along the contract."""
    assert score_of_nats(-math.log(rarity)) == pytest.approx(expected)
