# SPDX-License-Identifier: Apache-2.0
"""The state of one face."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Profile
from monitor.policy.profiles import PROFILES
from monitor.policy.track import TIMELINE_STEPS, Moment, TrackPolicy
from monitor.values import AttackKind, Reason, State
from tests.fakes.timeline import crop, evidence, quality

POINT = PROFILES[Profile.ENTERPRISE]


def run(track: TrackPolicy, seconds: float, llr_nats: float, start_s: float = 0.0, **evidence_fields) -> Moment:
    """Five looks a second with constant evidence."""
    moment = Moment(start_s, start_s)
    for index in range(round(seconds * 5)):
        at_s = start_s + index / 5
        moment = Moment(at_s, at_s)
        track.see(moment, crop(at_s), [evidence(at_s, llr_nats, **evidence_fields)])
        track.decide(moment)
    return moment


def new() -> TrackPolicy:
    """A face just seen for the first time."""
    return TrackPolicy(1, POINT, Moment(0.0, 0.0))


def test_a_new_face_is_inconclusive_and_warming_up():
    """Nothing is said of a face before there is evidence, and the reason is given."""
    track = new()
    moment = run(track, 0.4, -1.0)
    verdict = track.verdict(moment)
    assert verdict.state is State.INCONCLUSIVE
    assert verdict.reasons == (Reason.WARMING_UP,)


def test_the_timeline_says_what_each_second_added():
    """One step a second, oldest first; of a long call the newest half minute is kept."""
    track = new()
    run(track, 10.2, 1.0)
    verdict = track.verdict(Moment(10.2, 10.2))
    steps = verdict.timeline
    assert [round(step.media_s) for step in steps] == list(range(1, 11))
    assert sum(step.nats["detector"] for step in steps) == pytest.approx(verdict.contributions["detector"])
    run(track, 100.0, 1.0, start_s=10.2)
    assert len(track.verdict(Moment(110.2, 110.2)).timeline) == TIMELINE_STEPS


def test_more_frames_a_second_are_not_more_evidence():
    """Thirty looks a second of the same evidence reach the same sum as five."""
    slow, fast = new(), new()
    run(slow, 6.2, 1.0)
    for index in range(round(6.2 * 30)):
        moment = Moment(index / 30, index / 30)
        fast.see(moment, crop(index / 30), [evidence(index / 30, 1.0)])
    shares = slow.verdict(Moment(6.2, 6.2)).contributions
    assert fast.verdict(Moment(6.2, 6.2)).contributions == pytest.approx(shares)


def test_clear_takes_time_even_with_loud_evidence():
    """A cue that is very sure in its first seconds does not make a face clear before the least judged time."""
    track = new()
    run(track, 4.8, -3.0)
    assert track.state is State.INCONCLUSIVE
    run(track, 2.0, -3.0, start_s=4.8)
    assert track.state is State.CLEAR


def test_reliability_slows_the_evidence_down():
    """Half the reliability takes about twice the time."""
    full, half = new(), new()
    run(full, 7.2, 2.5)
    run(half, 7.2, 2.5, reliability=0.5)
    assert full.state is State.ALERT
    assert half.state is State.SUSPECT


@pytest.mark.parametrize("llr", [float("nan"), float("inf"), float("-inf")])
def test_evidence_that_is_no_number_is_no_evidence(llr):
    """A cue that breaks says nothing."""
    track = new()
    run(track, 30.0, llr)
    assert track.state is State.INCONCLUSIVE
    assert track.judged_s == 0.0


def test_a_cue_that_abstains_does_not_keep_a_face_judged():
    """Reliability 0 is not a look: a clear face falls back when all cues abstain."""
    track = new()
    run(track, 20.0, -1.5)
    assert track.state is State.CLEAR
    run(track, POINT.stale_s + 1.0, -1.5, start_s=20.0, reliability=0.0)
    assert track.state is State.INCONCLUSIVE


def test_clear_must_be_earned_again_after_a_gap():
    """Someone else may have sat down meanwhile: a face that could not be judged starts anew."""
    track = new()
    run(track, 20.0, -1.5)
    for index in range(40):
        moment = Moment(20 + index / 5, 20 + index / 5)
        track.see(moment, crop(moment.media_s, seen=quality(Reason.TOO_DARK)), [])
        track.decide(moment)
    assert track.verdict(moment).reasons == (Reason.TOO_DARK,)
    run(track, 2.0, -1.5, start_s=28.0)
    assert track.state is State.INCONCLUSIVE
    run(track, 6.0, -1.5, start_s=30.0)
    assert track.state is State.CLEAR


def test_an_attack_cannot_hide_from_its_evidence():
    """Covering the camera does not wipe out what was found: the suspicion is there again at once."""
    track = new()
    run(track, 5.2, 2.0)
    assert track.state is State.SUSPECT
    for index in range(40):
        moment = Moment(5.2 + index / 5, 5.2 + index / 5)
        track.see(moment, None, [])
        track.decide(moment)
    assert track.state is State.INCONCLUSIVE
    run(track, 0.4, 2.0, start_s=13.2)
    assert track.state is State.SUSPECT


def test_a_repeated_picture_is_judged_once():
    """While a cue says the picture repeats, the network's word on the same picture counts no further."""
    track = new()
    for index in range(100):
        moment = Moment(index / 5, index / 5)
        said = [
            evidence(moment.media_s, -2.0),
            evidence(moment.media_s, 1.0, cue="frozen", kinds={AttackKind.FROZEN: 1.0}),
        ]
        track.see(moment, crop(moment.media_s), said)
        track.decide(moment)
    verdict = track.verdict(moment)
    assert verdict.state is State.ALERT
    assert set(verdict.contributions) == {"frozen"}
    assert verdict.kinds == {AttackKind.FROZEN: 1.0}
    assert Reason.FROZEN in verdict.reasons


def test_the_explanation_is_the_strongest_since_the_sum_was_zero():
    """The sentence shown is the one that speaks for the state, the loudest cue first."""
    track = new()
    for index in range(60):
        moment = Moment(index / 5, index / 5)
        said = [evidence(moment.media_s, 0.5, cue="mouth"), evidence(moment.media_s, 2.0)]
        track.see(moment, crop(moment.media_s), said)
        track.decide(moment)
    verdict = track.verdict(moment)
    assert verdict.sentences == ("detector speaks", "mouth speaks")
    assert verdict.contributions["detector"] > verdict.contributions["mouth"] > 0


def test_a_clear_face_is_explained_by_negative_nats():
    """Contributions of a bona fide face are negative, and no attack kind is named."""
    track = new()
    moment = run(track, 20.0, -1.5)
    verdict = track.verdict(moment)
    assert verdict.contributions["detector"] < 0
    assert verdict.kinds == {}
    assert verdict.reasons == ()


@given(st.permutations(range(4)), st.integers(0, 2**16))
def test_the_order_of_cues_changes_nothing(order, seed):
    """Evidence of one look is a set."""
    source = random.Random(seed)
    one, other = new(), new()
    for index in range(40):
        moment = Moment(index / 4, index / 4)
        said = [evidence(moment.media_s, source.gauss(0.5, 2), cue=cue) for cue in ("a", "a", "b", "c")]
        for track, words in ((one, said), (other, [said[place] for place in order])):
            track.see(moment, crop(moment.media_s), words)
            track.decide(moment)
        assert one.verdict(moment) == other.verdict(moment)
