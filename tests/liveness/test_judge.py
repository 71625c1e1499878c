# SPDX-License-Identifier: Apache-2.0
"""One step of a batch, in the worker thread."""

from typing import get_args

import pytest

from monitor.config import CueName
from monitor.liveness.cues import CUES, ready
from monitor.liveness.judge import DETECTOR_KINDS, Judge, Look
from monitor.liveness.pool import Lease
from monitor.liveness.runner import Runner
from monitor.values import AttackKind, Context
from tests.fakes.detector import FakeDetector
from tests.fakes.timeline import crop


@pytest.mark.parametrize(
    ("level", "words"), [(255, "traces of blending, as when"), (0, "no traces"), (128, "no clear sign")]
)
def test_the_sentence_fits_the_evidence(level, words):
    """Three sentences, so that an alert is not updated because a number in it has changed."""
    judge = Judge(Runner(FakeDetector(), 2), lambda: ())
    for index in range(6):
        (judged,) = judge.judge(Lease((0,), (0,) if index == 0 else ()), [Look(crop(0.0, level=level))])
    (evidence,) = judged.evidence
    assert words in evidence.sentence


def test_the_kinds_of_the_network_are_mainly_face_swap():
    """Weights sum to one, and the network's first guess is what it was trained on."""
    assert sum(DETECTOR_KINDS.values()) == pytest.approx(1.0)
    assert max(DETECTOR_KINDS, key=DETECTOR_KINDS.__getitem__) is AttackKind.FACE_SWAP


def test_the_cues_of_the_configuration_look_at_a_face_and_no_others():
    """Every name that the configuration knows is a cue that says its own name."""
    assert set(CUES) == set(get_args(CueName))
    assert ready(())() == ()
    for name in CUES:
        (signal,) = ready((name,))()
        assert signal.cue == name


def test_signals_keep_their_state_with_their_slot():
    """A fresh track gets fresh signals; the others go on with theirs."""
    judge = Judge(Runner(FakeDetector(), 2), ready(("frozen",)))
    fresh = Lease((0, 1), (0, 1))
    for index in range(20):
        lease = fresh if index == 0 else Lease((0, 1), (1,) if index == 10 else ())
        found = judge.judge(lease, [Look(crop(index / 5, 1)), Look(crop(index / 5, 2))])
    spoken = [[word.reliability > 0 for word in judged.evidence if word.cue == "frozen"] for judged in found]
    assert spoken == [[True], [False]]


def test_the_network_leaves_out_looks_at_which_it_may_rest():
    """The other cues see the look all the same; the state of the network is that of the looks it judged."""
    detector = FakeDetector()
    judge, rest = Judge(Runner(detector, 2), ready(("frozen",))), Context(rests=True)
    judge.judge(Lease((0, 1), (0, 1)), [Look(crop(0.0, 1)), Look(crop(0.0, 2))])
    one, two = judge.judge(Lease((0, 1), ()), [Look(crop(0.2, 1), rest), Look(crop(0.2, 2))])
    assert [word.cue for word in one.evidence] == ["frozen"]
    assert one.boundary is None
    assert [word.cue for word in two.evidence] == ["detector", "frozen"]
    judge.judge(Lease((1, 0), ()), [Look(crop(0.4, 2), rest), Look(crop(0.4, 1), rest)])
    judge.judge(Lease((0, 1), ()), [Look(crop(0.6, 1)), Look(crop(0.6, 2))])
    assert detector.steps_seen == [[0, 0], [1], [1, 2]]


def test_a_face_never_seen_before_is_judged():
    """Whoever comes into a calm call is a stranger, and so is a track whose slot was taken away."""
    judge = Judge(Runner(FakeDetector(), 2), ready(()))
    (judged,) = judge.judge(Lease((0,), (0,)), [Look(crop(0.0), Context(rests=True))])
    assert [word.cue for word in judged.evidence] == ["detector"]
    assert judged.boundary is not None
