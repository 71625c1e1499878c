# SPDX-License-Identifier: Apache-2.0
"""The state machine under any stream of looks, evidence, stalls and clocks."""

import math

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitor.config import Profile
from monitor.policy.participant import Decision, ParticipantPolicy
from monitor.values import AlertChange, FaceLook, Reason, Stall, State, StreamFacts
from tests.fakes.timeline import counter, crop, evidence, quality

TRACKS = st.integers(1, 3)
NATS = st.one_of(st.sampled_from([-3.0, 3.0]), st.floats(-1e9, 1e9), st.just(float("nan")))
JUMPS = st.sampled_from([-7200.0, -3600.0, -3.0, 30.0, 3600.0, 1e9])


class ParticipantMachine(RuleBasedStateMachine):
    """One participant, driven at random; what must always hold is checked after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.media_s = 0.0
        self.open: str | None = None
        self.seen_ids: set[str] = set()
        self.judged: set[int] = set()
        self.decision: Decision | None = None

    @initialize(profile=st.sampled_from(list(Profile)))
    def join(self, profile: Profile) -> None:
        """A participant joins under any profile."""
        self.policy = ParticipantPolicy("c", "p", profile, counter())

    def decide(self, decision: Decision) -> Decision:
        """Check what a decision may never do."""
        self.decision = decision
        for alert in decision.alerts:
            self.check_alert(alert)
        return decision

    def check_alert(self, alert) -> None:
        """Raised once, with a new id, on judged evidence; cleared only after, with the same id."""
        if alert.change is AlertChange.RAISED:
            assert self.open is None
            assert alert.id not in self.seen_ids
            assert alert.track in self.judged
            assert alert.raised_s == alert.media_s
            self.seen_ids.add(alert.id)
            self.open = alert.id
        else:
            assert alert.id == self.open
            self.open = None if alert.change is AlertChange.CLEARED else self.open
        assert 0.0 <= alert.score <= 1.0

    @rule(
        seconds=st.integers(1, 8),
        per_s=st.sampled_from([1, 4]),
        tracks=st.sets(TRACKS),
        nats=NATS,
        weight=st.floats(0, 1),
        lost=st.sampled_from([0, 0, 50]),
    )
    def watch(self, seconds, per_s, tracks, nats, weight, lost) -> None:
        """A stretch of looks at some faces with the same evidence."""
        for _ in range(seconds * per_s):
            self.media_s += 1 / per_s
            crops = tuple(crop(self.media_s, track) for track in sorted(tracks))
            words = [evidence(self.media_s, nats, track, reliability=weight) for track in tracks]
            if weight > 0 and not math.isnan(nats):
                self.judged |= tracks
            look = FaceLook(self.media_s, crops, reasons=() if crops else (Reason.NO_FACE,))
            self.decide(self.policy.step(self.media_s, look, words, StreamFacts(lost_packets=lost)))

    @rule(tracks=st.sets(TRACKS), reason=st.sampled_from(list(Reason)))
    def hide(self, tracks, reason) -> None:
        """Faces that cannot be judged, for five seconds."""
        for _ in range(5):
            self.media_s += 1.0
            crops = tuple(crop(self.media_s, track, seen=quality(reason)) for track in sorted(tracks))
            self.decide(self.policy.step(self.media_s, FaceLook(self.media_s, crops), []))

    @rule(tracks=st.sets(TRACKS))
    def end(self, tracks) -> None:
        """Tracks end."""
        self.media_s += 0.2
        look = FaceLook(self.media_s, (), tuple(tracks), (Reason.NO_FACE,))
        self.decide(self.policy.step(self.media_s, look, []))

    @rule(silence_s=st.floats(0, 1e6))
    def stall(self, silence_s) -> None:
        """Nothing comes for a while."""
        decision = self.decide(self.policy.stall(Stall("c", "p", 0.0, silence_s)))
        assert AlertChange.RAISED not in {alert.change for alert in decision.alerts}

    @rule(jump_s=JUMPS, nats=NATS, tracks=st.sets(TRACKS))
    def jump(self, jump_s, nats, tracks) -> None:
        """Media time goes back or leaps ahead: what was half collected is dropped, so nothing is raised."""
        self.media_s += jump_s
        crops = tuple(crop(self.media_s, track) for track in sorted(tracks))
        words = [evidence(self.media_s, nats, track) for track in tracks]
        self.judged |= tracks if not math.isnan(nats) else set()
        decision = self.decide(self.policy.step(self.media_s, FaceLook(self.media_s, crops), words))
        assert AlertChange.RAISED not in {alert.change for alert in decision.alerts}

    @invariant()
    def a_verdict_is_well_formed(self) -> None:
        """Alert exactly while one is open; inconclusive with a reason; clear only after enough judged time."""
        if self.decision is None:
            return
        verdict = self.decision.verdict
        assert (verdict.state is State.ALERT) is (self.open is not None)
        assert verdict.state is not State.INCONCLUSIVE or verdict.reasons
        assert verdict.since_s <= verdict.media_s
        assert verdict.score is None or 0.0 <= verdict.score <= 1.0
        for track in verdict.tracks:
            assert track.state is not State.INCONCLUSIVE or track.reasons
            assert track.state is not State.CLEAR or track.judged_s >= 5.0
            assert track.since_s <= verdict.media_s
            assert not track.kinds or math.isclose(sum(track.kinds.values()), 1.0)

    @invariant()
    def records_are_bounded(self) -> None:
        """However many faces come and go, a bounded number of records is kept."""
        if self.decision is not None:
            assert len(self.policy.faces) <= 32 + 3

    def teardown(self) -> None:
        """The participant leaves: no alert stays open, and leaving twice says nothing more."""
        if hasattr(self, "policy"):
            self.decide(self.policy.finish(self.media_s))
            assert self.open is None
            assert self.policy.finish(self.media_s).alerts == ()


ParticipantMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestParticipantMachine = ParticipantMachine.TestCase
