# SPDX-License-Identifier: Apache-2.0
"""One second of evidence is one observation."""

import random

import pytest

from monitor.policy.cusum import CLIP_BIAS_NATS
from monitor.policy.window import Window
from tests.fakes.timeline import evidence


def closed(*words, trust: float = 1.0):
    """The step made of some words of one look."""
    window = Window()
    window.add(0.0, words, trust)
    return window.close()


def test_observations_of_one_cue_are_averaged():
    """Five looks say no more than one; the price of clipping is taken off once."""
    step = closed(*(evidence(0.0, nats) for nats in (0.0, 1.0, 2.0)))
    assert step.attack_nats == pytest.approx({"detector": 1.0 - CLIP_BIAS_NATS})
    assert step.bona_fide_nats == pytest.approx({"detector": -1.0 - CLIP_BIAS_NATS})


def test_each_observation_is_clipped_before_it_is_averaged():
    """One broken frame cannot outweigh the rest of its second."""
    step = closed(evidence(0.0, 1e6), evidence(0.0, -1.0), evidence(0.0, -1.0))
    assert step.attack_nats == pytest.approx({"detector": (3.0 - 2.0) / 3 - CLIP_BIAS_NATS})


def test_reliability_and_trust_multiply():
    """Half the reliability in a network trusted by half counts a quarter, and costs a quarter of the price."""
    step = closed(evidence(0.0, 2.0, reliability=0.5), trust=0.5)
    assert step.attack_nats == pytest.approx({"detector": 0.25 * (2.0 - CLIP_BIAS_NATS)})


def test_cues_stay_apart():
    """Each cue has its own mean, whatever the number of its looks."""
    step = closed(evidence(0.0, 1.0), evidence(0.0, 1.0), evidence(0.0, -2.0, cue="mouth"))
    assert step.attack_nats == pytest.approx({"detector": 1.0 - CLIP_BIAS_NATS, "mouth": -2.0 - CLIP_BIAS_NATS})


def test_the_strongest_word_of_each_cue_is_kept():
    """The one that speaks most for an attack explains the second."""
    words = [evidence(index / 10, nats) for index, nats in enumerate((0.5, 2.0, 1.0))]
    assert closed(*words).strongest["detector"] is words[1]


def test_a_window_is_due_a_second_after_its_first_observation():
    """An empty window is never due; a closed one starts anew."""
    window = Window()
    assert not window.due(100.0)
    window.add(5.0, [evidence(5.0, 1.0)], 1.0)
    assert not window.due(5.9)
    assert window.due(6.0)
    window.close()
    assert not window.due(100.0)


def test_memory_does_not_grow_while_time_stands_still():
    """Timestamps that never advance do not fill the window."""
    window = Window()
    source = random.Random(1)
    for _ in range(5000):
        window.add(0.0, [evidence(0.0, source.gauss(0, 1), cue=source.choice("ab"))], 1.0)
    assert len(window._cues) == 2
