# SPDX-License-Identifier: Apache-2.0
"""Verdicts and alerts of one participant on scripted timelines."""

from dataclasses import replace
from itertools import pairwise

import pytest

from monitor.config import Profile
from monitor.policy.participant import ParticipantPolicy
from monitor.policy.profiles import PROFILES
from monitor.values import AlertChange, AttackKind, Reason, Stall, State, StreamFacts
from tests.fakes.timeline import counter, evidence, look, play, quality

RAISED, UPDATED, CLEARED = AlertChange.RAISED, AlertChange.UPDATED, AlertChange.CLEARED


def new(profile: Profile = Profile.ENTERPRISE) -> ParticipantPolicy:
    """A participant who has just joined."""
    return ParticipantPolicy("c", "p", profile, counter())


def changes(decisions) -> list:
    """What happened to alerts, in order."""
    return [(alert.change, alert.id) for decision in decisions for alert in decision.alerts]


def states(decisions) -> list[State]:
    """The states passed through, without repetition."""
    passed: list[State] = []
    for decision in decisions:
        if not passed or decision.verdict.state is not passed[-1]:
            passed.append(decision.verdict.state)
    return passed


@pytest.mark.parametrize("profile", list(Profile))
def test_a_bona_fide_call_becomes_clear_and_stays_so(profile):
    """Warming up, then clear, never an alert; the session ends clear."""
    policy = new(profile)
    decisions = [*play(policy, 0.0, 60.0, -1.5), policy.finish(60.0)]
    assert states(decisions) == [State.INCONCLUSIVE, State.CLEAR]
    assert changes(decisions) == []
    assert decisions[0].verdict.reasons == (Reason.WARMING_UP,)


@pytest.mark.parametrize(("profile", "latest_s"), [("enterprise", 12.0), ("kyc", 10.0), ("broadcast", 13.0)])
def test_a_forged_call_is_alerted_in_time(profile, latest_s):
    """Evidence of 1.5 nats a second passes through suspect to one alert, cleared when the participant leaves."""
    policy = new(Profile(profile))
    decisions = play(policy, 0.0, 30.0, 1.5)
    raised = [alert for decision in decisions for alert in decision.alerts]
    assert states(decisions) == [State.INCONCLUSIVE, State.SUSPECT, State.ALERT]
    assert raised[0].change is RAISED
    assert raised[0].media_s == raised[0].raised_s <= latest_s
    assert raised[0].sentences == ("detector speaks",)
    assert max(raised[0].kinds, key=raised[0].kinds.get) is AttackKind.FACE_SWAP
    assert [(alert.change, alert.id) for alert in policy.finish(30.0).alerts] == [(CLEARED, "alert-0")]


def test_an_alert_clears_when_the_evidence_falls():
    """The same id from raised to cleared, held at least five seconds, then clear with a new reason to trust."""
    policy = new()
    decisions = [*play(policy, 0.0, 15.0, 1.5), *play(policy, 15.0, 30.0, -1.5)]
    assert changes(decisions) == [(RAISED, "alert-0"), (CLEARED, "alert-0")]
    assert states(decisions)[-1] is State.CLEAR
    raised, cleared = [alert for decision in decisions for alert in decision.alerts]
    assert cleared.media_s - raised.media_s >= PROFILES[Profile.ENTERPRISE].hold_s


def test_within_the_refractory_time_a_second_attack_is_a_suspicion():
    """One alert a minute at most, unless the participant was clear in between."""
    point = replace(PROFILES[Profile.ENTERPRISE], false_clear_s=1e30)
    policy = ParticipantPolicy("c", "p", Profile.ENTERPRISE, counter(), {Profile.ENTERPRISE: point})
    decisions = [*play(policy, 0.0, 12.0, 1.5), *play(policy, 12.0, 10.0, -2.0), *play(policy, 22.0, 30.0, 2.0)]
    assert changes(decisions) == [(RAISED, "alert-0"), (CLEARED, "alert-0")]
    assert decisions[-1].verdict.state is State.SUSPECT
    assert changes(play(policy, 52.0, 40.0, 2.0)) == [(RAISED, "alert-1")]


def test_after_clear_a_second_attack_is_alerted_at_once():
    """A participant found clear starts with a clean slate."""
    policy = new()
    decisions = [*play(policy, 0.0, 12.0, 1.5), *play(policy, 12.0, 20.0, -2.0), *play(policy, 32.0, 15.0, 2.0)]
    assert changes(decisions) == [(RAISED, "alert-0"), (CLEARED, "alert-0"), (RAISED, "alert-1")]


def test_an_open_alert_says_what_has_changed():
    """Another kind of attack updates the alert, no sooner than the update time allows."""
    policy = new()
    alerts = [alert for decision in play(policy, 0.0, 14.0, 1.5) for alert in decision.alerts]
    for index in range(150):
        media_s = 14.0 + index / 5
        words = [evidence(media_s, 3.0, cue="mouth", kinds={AttackKind.REENACTMENT: 1.0}, score=0.9)]
        alerts += policy.step(media_s, look(media_s, 1), words).alerts
    assert [alert.change for alert in alerts[:2]] == [RAISED, UPDATED]
    assert {alert.id for alert in alerts} == {"alert-0"}
    assert alerts[-1].kinds[AttackKind.REENACTMENT] > 0.5
    gaps = [after.media_s - before.media_s for before, after in pairwise(alerts)]
    assert min(gaps) >= PROFILES[Profile.ENTERPRISE].update_s


def test_without_a_face_nothing_is_said():
    """No face, for whatever reason, is inconclusive with that reason."""
    policy = new()
    decision = policy.step(0.0, look(0.0), [])
    assert (decision.verdict.state, decision.verdict.reasons) == (State.INCONCLUSIVE, (Reason.NO_FACE,))
    assert decision.verdict.score is None
    decision = policy.step(1.0, None, [])
    assert decision.verdict.reasons == (Reason.NO_FACE,)


def test_a_face_that_cannot_be_judged_says_why():
    """The quality gate's reasons are the verdict's."""
    policy = new()
    decisions = play(policy, 0.0, 5.0, 0.0, seen=quality(Reason.TOO_SMALL, Reason.BLURRED))
    assert decisions[-1].verdict.reasons == (Reason.BLURRED, Reason.TOO_SMALL)


def test_a_stall_is_inconclusive_and_media_time_goes_on():
    """Silence takes a clear verdict back at once; time is estimated while nothing comes."""
    policy = new()
    play(policy, 0.0, 20.0, -1.5)
    decision = policy.stall(Stall("c", "p", since_s=100.0, now_s=102.5))
    assert (decision.verdict.state, decision.verdict.reasons) == (State.INCONCLUSIVE, (Reason.STALLED,))
    assert decision.verdict.media_s == pytest.approx(19.8 + 2.5)
    assert policy.stall(Stall("c", "p", since_s=100.0, now_s=103.5)).verdict.media_s == pytest.approx(19.8 + 3.5)


def test_a_stall_before_the_first_frame_is_inconclusive():
    """A participant who never sends is stalled from the start."""
    decision = new().stall(Stall("c", "p", 0.0, 5.0))
    assert (decision.verdict.state, decision.verdict.reasons) == (State.INCONCLUSIVE, (Reason.STALLED,))


def test_an_alert_is_held_through_a_stall_and_marked():
    """Pulling the plug does not clear an alert."""
    policy = new()
    play(policy, 0.0, 15.0, 1.5)
    decisions = [policy.stall(Stall("c", "p", 0.0, 2.0 + index)) for index in range(20)]
    assert changes(decisions) == []
    assert decisions[-1].verdict.state is State.ALERT
    assert decisions[-1].verdict.reasons == (Reason.STALLED,)


def test_an_alert_is_held_while_the_face_is_hidden_and_marked():
    """Turning away does not clear an alert."""
    policy = new()
    play(policy, 0.0, 15.0, 1.5)
    decisions = play(policy, 15.0, 20.0, 0.0, seen=quality(Reason.TURNED_AWAY))
    assert changes(decisions) == []
    assert decisions[-1].verdict.state is State.ALERT
    assert decisions[-1].verdict.reasons == (Reason.TURNED_AWAY,)


def test_the_end_of_the_alerted_face_clears_the_alert():
    """An alert does not outlive its face, but is held for its least time."""
    policy = new()
    raised = [alert for decision in play(policy, 0.0, 9.0, 2.5) for alert in decision.alerts]
    end_s = 9.0
    policy.step(end_s, look(end_s, ended=[1]), [])
    decisions = [policy.step(end_s + index, look(end_s + index), []) for index in range(10)]
    cleared = [alert for decision in decisions for alert in decision.alerts]
    assert [alert.change for alert in cleared] == [CLEARED]
    assert raised[0].media_s + 5.0 <= cleared[0].media_s <= raised[0].media_s + 6.0
    assert decisions[-1].verdict.state is State.INCONCLUSIVE
    assert decisions[-1].verdict.tracks == ()


def test_the_worst_face_speaks_for_the_participant():
    """One forged face among two makes one alert, whichever the other is."""
    policy = new(Profile.BROADCAST)
    decisions = []
    for index in range(150):
        media_s = index / 5
        words = [evidence(media_s, -1.5, track=1), evidence(media_s, 1.5, track=2)]
        decisions.append(policy.step(media_s, look(media_s, 1, 2), words))
    assert changes(decisions) == [(RAISED, "alert-0")]
    verdict = decisions[-1].verdict
    assert verdict.state is State.ALERT
    assert [(track.track, track.state) for track in verdict.tracks] == [(1, State.CLEAR), (2, State.ALERT)]


def test_a_second_forged_face_opens_no_second_alert():
    """One open alert per participant; it ends when the last forged face does."""
    policy = new(Profile.BROADCAST)
    decisions = []
    for index in range(200):
        media_s = index / 5
        words = [evidence(media_s, 1.5, track=1), evidence(media_s, 1.0 if media_s > 5 else -1.0, track=2)]
        decisions.append(policy.step(media_s, look(media_s, 1, 2), words))
    assert [change for change, _ in changes(decisions)].count(RAISED) == 1
    decisions = [policy.step(40.0, look(40.0, 2, ended=[1]), [evidence(40.0, 1.0, track=2)])]
    assert CLEARED not in [change for change, _ in changes(decisions)]


def test_a_passer_by_does_not_hide_a_clear_verdict():
    """A face in the background that was never fit to be judged does not make the participant inconclusive."""
    policy = new()
    play(policy, 0.0, 20.0, -1.5)
    near, far = look(20.0, 1), look(20.0, 2, seen=quality(Reason.TOO_SMALL))
    both = replace(near, crops=(*near.crops, *far.crops))
    assert policy.step(20.0, both, [evidence(20.0, -1.5)]).verdict.state is State.CLEAR


def test_a_second_judged_face_must_be_cleared_too():
    """Whoever joins later is warmed up first: the participant is inconclusive until then."""
    policy = new()
    play(policy, 0.0, 20.0, -1.5)
    decisions = []
    for index in range(100):
        media_s = 20.0 + index / 5
        words = [evidence(media_s, -1.5, track=track) for track in (1, 2)]
        decisions.append(policy.step(media_s, look(media_s, 1, 2), words))
    assert states(decisions) == [State.CLEAR, State.INCONCLUSIVE, State.CLEAR]


def test_a_bitrate_drop_delays_the_alarm_and_says_so():
    """Evidence that comes with a collapse of the bitrate is held back, with the reason."""
    good, poor = StreamFacts(received_bytes=12_000), StreamFacts(received_bytes=600)
    policy = new()
    play(policy, 0.0, 20.0, -1.5, facts=good)
    dropped = play(policy, 20.0, 10.0, 2.0, facts=poor)
    assert changes(dropped) == []
    assert Reason.LOW_BITRATE in dropped[-1].verdict.reasons
    steady = new()
    play(steady, 0.0, 20.0, -1.5, facts=good)
    assert changes(play(steady, 20.0, 10.0, 2.0, facts=good)) == [(RAISED, "alert-0")]
    assert changes(play(policy, 30.0, 30.0, 2.0, facts=poor)) == [(RAISED, "alert-0")]


class TestKyc:
    """The identity check: a decision within thirty seconds."""

    def test_is_undecided_before_its_time(self):
        """Before thirty seconds have passed there is no outcome."""
        policy = new(Profile.KYC)
        play(policy, 0.0, 29.8, -1.5)
        assert policy.outcome is None

    @pytest.mark.parametrize(
        ("llr", "outcome"),
        [(-1.5, State.CLEAR), (0.0, State.INCONCLUSIVE), (0.3, State.SUSPECT), (1.5, State.ALERT)],
    )
    def test_is_decided_after_thirty_seconds(self, llr, outcome):
        """Clear, inconclusive, suspect or alert, by the evidence of the window."""
        policy = new(Profile.KYC)
        play(policy, 0.0, 31.0, llr)
        assert policy.outcome is outcome

    def test_inconclusive_stays_so_and_keeps_its_reason(self):
        """A face seen well only after the decision does not change it."""
        policy = new(Profile.KYC)
        play(policy, 0.0, 31.0, 0.0, seen=quality(Reason.TOO_DARK))
        decisions = play(policy, 31.0, 30.0, -1.5)
        assert states(decisions) == [State.INCONCLUSIVE]
        assert decisions[-1].verdict.reasons == (Reason.TOO_DARK,)

    def test_clear_stays_when_the_person_turns_away(self):
        """A decision once made does not fall back for want of a look."""
        policy = new(Profile.KYC)
        play(policy, 0.0, 31.0, -1.5)
        assert states(play(policy, 31.0, 20.0, 0.0, seen=quality(Reason.TURNED_AWAY))) == [State.CLEAR]

    def test_an_attack_after_the_decision_is_still_alerted(self):
        """A swap that starts once the check has passed is an alert all the same."""
        policy = new(Profile.KYC)
        play(policy, 0.0, 31.0, -1.5)
        assert changes(play(policy, 31.0, 15.0, 2.0)) == [(RAISED, "alert-0")]

    def test_an_alerted_session_never_ends_clear(self):
        """Evidence that falls later clears the alert, not the session."""
        policy = new(Profile.KYC)
        play(policy, 0.0, 12.0, 2.0)
        decisions = play(policy, 12.0, 40.0, -2.0)
        assert changes(decisions) == [(CLEARED, "alert-0")]
        assert policy.outcome is State.ALERT
        assert decisions[-1].verdict.state is State.SUSPECT

    def test_a_session_that_ends_early_is_decided_at_its_end(self):
        """Leaving before the time is up settles the session with what there is."""
        policy = new(Profile.KYC)
        play(policy, 0.0, 10.0, -0.1)
        assert policy.finish(10.0).verdict.state is State.INCONCLUSIVE
        assert policy.outcome is State.INCONCLUSIVE
