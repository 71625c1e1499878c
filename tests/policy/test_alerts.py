# SPDX-License-Identifier: Apache-2.0
"""The alert desk: one alert at a time, said when it is news."""

import pytest

from monitor.config import Profile
from monitor.policy.alerts import AlertDesk
from monitor.policy.profiles import PROFILES
from monitor.policy.track import Moment
from monitor.values import AlertChange, AttackKind, State, TimelineStep, TrackVerdict
from tests.fakes.timeline import counter

POINT = PROFILES[Profile.ENTERPRISE]
SWAP = {AttackKind.FACE_SWAP: 1.0}
STEPS = (TimelineStep(100.0, 0.6, {"detector": 2.0}),)


def desk() -> AlertDesk:
    """An alert desk with nothing open."""
    return AlertDesk("c", "p", POINT, counter())


def at(now_s: float) -> Moment:
    """A moment whose media time runs a hundred seconds ahead of its clock."""
    return Moment(now_s, now_s + 100.0)


def face(track: int = 1, kinds=SWAP, sentence: str = "blended") -> TrackVerdict:
    """A face in alert."""
    return TrackVerdict(track, State.ALERT, 0.6, 0.0, (), {"detector": 13.0}, kinds, (sentence,), 10.0, STEPS)


def test_an_alert_carries_what_explains_it():
    """Face, kinds, sentences, contributions, score, and the media time at which it was raised."""
    (alert,) = desk().step(at(1.0), face(4), 0.6)
    assert (alert.change, alert.id, alert.call, alert.participant) == (AlertChange.RAISED, "alert-0", "c", "p")
    assert (alert.track, alert.media_s, alert.raised_s, alert.score) == (4, 101.0, 101.0, 0.6)
    assert alert.timeline == STEPS
    assert (alert.kinds, alert.sentences, alert.contributions) == (SWAP, ("blended",), {"detector": 13.0})


@pytest.mark.parametrize(
    ("worst", "score", "news"),
    [
        (face(), 0.6, False),
        (face(), 0.69, False),
        (face(), 0.71, True),
        (face(), 0.3, True),
        (face(sentence="frozen"), 0.6, True),
        (face(kinds={AttackKind.FACE_SWAP: 0.9, AttackKind.LIP_SYNC: 0.1}), 0.6, False),
        (face(kinds={AttackKind.FACE_SWAP: 0.7, AttackKind.LIP_SYNC: 0.3}), 0.6, True),
    ],
)
def test_only_news_updates_an_alert(worst, score, news):
    """Another severity, another first sentence or another mix of kinds is news; a little more of the same is not."""
    at_work = desk()
    at_work.step(at(0.0), face(), 0.6)
    changes = at_work.step(at(POINT.update_s), worst, score)
    assert [alert.change for alert in changes] == ([AlertChange.UPDATED] if news else [])


def test_updates_keep_their_distance():
    """News comes at most once per update time, and is not lost when it came too early."""
    at_work = desk()
    at_work.step(at(0.0), face(), 0.6)
    assert at_work.step(at(POINT.update_s - 0.1), face(), 0.9) == ()
    (alert,) = at_work.step(at(POINT.update_s), face(), 0.9)
    assert (alert.change, alert.score, alert.raised_s, alert.media_s) == (AlertChange.UPDATED, 0.9, 100.0, 110.0)


def test_an_alert_is_held_then_cleared_once():
    """Not before the hold time, and then a single time with the same id."""
    at_work = desk()
    at_work.step(at(0.0), face(), 0.6)
    assert at_work.step(at(POINT.hold_s - 0.1), None, 0.0) == ()
    (alert,) = at_work.step(at(POINT.hold_s), None, 0.0)
    assert (alert.change, alert.id) == (AlertChange.CLEARED, "alert-0")
    assert at_work.step(at(POINT.hold_s + 1), None, 0.0) == ()
    assert at_work.close(at(POINT.hold_s + 2)) == ()


def test_the_refractory_time_starts_at_the_end_and_calm_ends_it():
    """No new alert for a minute after the last one cleared, unless the participant is found clear."""
    at_work = desk()
    assert at_work.may_raise(0.0)
    at_work.step(at(0.0), face(), 0.6)
    assert at_work.may_raise(1.0)
    at_work.close(at(50.0))
    assert not at_work.may_raise(50.0 + POINT.refractory_s - 0.1)
    assert at_work.may_raise(50.0 + POINT.refractory_s)
    at_work.calm()
    assert at_work.may_raise(50.0)
