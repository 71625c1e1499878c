# SPDX-License-Identifier: Apache-2.0
"""One participant's looks, evidence and stream facts in; a verdict and alert changes out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from monitor.config import Profile
from monitor.policy.alerts import AlertDesk
from monitor.policy.clock import MediaClock
from monitor.policy.network import NetworkWatch
from monitor.policy.profiles import PROFILES, OperatingPoint
from monitor.policy.summary import BADNESS, FaceRecord, keep_worst
from monitor.policy.track import Moment, TrackPolicy
from monitor.values import NO_FACTS, Alert, Evidence, FaceLook, Reason, Stall, State, StreamFacts, TrackVerdict, Verdict

__all__ = ["Decision", "ParticipantPolicy"]

LOST_S: Final = 30.0
"""A face unseen for this long has ended, whether or not anyone said so."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be said after one step: the verdict, the changes of alerts in their order, and what the cues said."""

    verdict: Verdict
    alerts: tuple[Alert, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the faces say together."""

    state: State
    score: float | None
    reasons: tuple[Reason, ...]


class ParticipantPolicy:
    """Sequential tests of all faces of one participant, and the one alert that may be open.

    Pure: time comes in as media seconds, `new_id` makes the alert ids. A track's evidence counts
    only when its crop is in the same look. `points` replaces the profiles' operating points.
    """

    def __init__(
        self,
        call: str,
        participant: str,
        profile: Profile,
        new_id: Callable[[], str],
        points: Mapping[Profile, OperatingPoint] = PROFILES,
    ) -> None:
        self.call = call
        self.participant = participant
        self.outcome: State | None = None
        """What the session's decision was, once the profile's decision time has passed."""
        self._point = points[profile]
        self._desk = AlertDesk(call, participant, self._point, new_id)
        self._clock = MediaClock()
        self._broken = False
        self._network = NetworkWatch()
        self._tracks: dict[int, TrackPolicy] = {}
        self._past: list[FaceRecord] = []
        self._nothing: tuple[Reason, ...] = (Reason.WARMING_UP,)
        self._state = State.INCONCLUSIVE
        self._since_s = self._frame_s = 0.0
        self._first_look_s: float | None = None
        self._settled: _Finding | None = None
        self._last: Decision | None = None

    def step(
        self, media_s: float, look: FaceLook | None, evidence: Sequence[Evidence], facts: StreamFacts = NO_FACTS
    ) -> Decision:
        """Take in one frame at `media_s`: what was seen in it, what the cues say, how the stream is."""
        self._tick(media_s)
        self._frame_s = media_s
        if self._first_look_s is None:
            self._first_look_s = self._clock.elapsed_s
        self._network.step(self._clock.elapsed_s, look, facts)
        self._nothing = (look.reasons if look else ()) or (Reason.NO_FACE,)
        self._see(look or FaceLook(media_s), evidence)
        return replace(self._decide(self._moment()), evidence=tuple(evidence))

    def stall(self, stall: Stall) -> Decision:
        """Take in that no picture has come; media time is estimated from how long the silence has lasted."""
        self._tick(self._frame_s + max(0.0, stall.now_s - stall.since_s))
        self._nothing = (Reason.STALLED,)
        return self._decide(replace(self._moment(), stalled=True))

    def finish(self, media_s: float) -> Decision:
        """Say the last word: what is half collected counts, the session is settled, an open alert is cleared.

        The verdict stays what it was, also when that is an alert. A second call repeats it and changes nothing.
        """
        if self._last is not None:
            return Decision(self._last.verdict)
        self._tick(media_s)
        moment = self._moment()
        for track in self._tracks.values():
            track.flush(moment)
        decision = self._decide(moment, last=True)
        self._last = replace(decision, alerts=(*decision.alerts, *self._desk.close(moment)))
        return self._last

    @property
    def faces(self) -> tuple[FaceRecord, ...]:
        """Records of the faces seen so far, past ones first; the worst are kept when there were many."""
        moment = self._moment()
        return (*self._past, *(_record(track, moment) for track in self._tracks.values()))

    def _tick(self, media_s: float) -> None:
        self._broken = self._clock.tick(media_s)
        if self._broken:
            self._network.interrupt()
            for track in self._tracks.values():
                track.interrupt(media_s)
        self._since_s = min(self._since_s, media_s)

    def _moment(self) -> Moment:
        now_s = self._clock.elapsed_s
        return Moment(
            now_s=now_s,
            media_s=self._clock.media_s or 0.0,
            faces=len(self._tracks),
            trust=self._network.trust,
            network=self._network.reasons,
            may_raise=self._desk.may_raise(now_s) and not self._broken,
        )

    def _see(self, look: FaceLook, evidence: Sequence[Evidence]) -> None:
        crops = {crop.track: crop for crop in look.crops if crop.track not in look.ended_tracks}
        self._end(look.ended_tracks)
        moment = self._moment()
        for number in crops:
            if number not in self._tracks:
                self._tracks[number] = TrackPolicy(number, self._point, moment)
        moment = self._moment()
        for number, track in self._tracks.items():
            said = [word for word in evidence if word.track == number and number in crops]
            track.see(moment, crops.get(number), said)
        self._end(number for number, track in self._tracks.items() if track.unseen_s(moment) > LOST_S)

    def _end(self, numbers: Iterable[int]) -> None:
        moment = self._moment()
        for number in tuple(numbers):
            if (track := self._tracks.pop(number, None)) is not None:
                track.flush(moment)
                self._past = keep_worst([*self._past, _record(track, moment)])

    def _decide(self, moment: Moment, *, last: bool = False) -> Decision:
        for track in self._tracks.values():
            track.decide(moment)
        verdicts = tuple(track.verdict(moment) for _, track in sorted(self._tracks.items()))
        worst = max((verdict for verdict in verdicts if verdict.state is State.ALERT), key=_badness, default=None)
        score = 0.0 if worst is None else self._tracks[worst.track].alert_score()
        alerts = self._desk.step(moment, worst, score)
        finding = self._settle(moment, self._find(verdicts), last=last)
        if finding.state is State.CLEAR:
            self._desk.calm()
        return Decision(self._verdict(moment, finding, verdicts), alerts)

    def _find(self, verdicts: Sequence[TrackVerdict]) -> _Finding:
        # A face that was never fit to be judged, such as a passer-by, does not count beside one that was.
        counted = [verdict for verdict in verdicts if verdict.judged_s > 0.0] or verdicts
        worst = max(counted, key=_badness, default=None)
        if worst is None:
            return _Finding(State.ALERT if self._desk.open else State.INCONCLUSIVE, None, self._nothing)
        alike = {reason for verdict in counted if verdict.state is worst.state for reason in verdict.reasons}
        return _Finding(State.ALERT if self._desk.open else worst.state, worst.score, tuple(sorted(alike)))

    def _settle(self, moment: Moment, finding: _Finding, *, last: bool) -> _Finding:
        """Hold the profile's decision once its time has come; only a suspicion or an alert goes beyond it."""
        if self._point.decision_s is None or self._first_look_s is None:
            return finding
        if self._settled is None and (last or moment.now_s - self._first_look_s >= self._point.decision_s):
            self._settled = finding
            self.outcome = State.ALERT if self._desk.raised else finding.state
        if self._settled is None or BADNESS[finding.state] >= BADNESS[State.SUSPECT]:
            return finding
        if self.outcome is State.ALERT:
            return replace(finding, state=State.SUSPECT)
        return replace(self._settled, score=finding.score)

    def _verdict(self, moment: Moment, finding: _Finding, tracks: tuple[TrackVerdict, ...]) -> Verdict:
        if finding.state is not self._state:
            self._state, self._since_s = finding.state, moment.media_s
        return Verdict(
            call=self.call,
            participant=self.participant,
            media_s=moment.media_s,
            state=finding.state,
            score=finding.score,
            since_s=self._since_s,
            reasons=finding.reasons,
            tracks=tracks,
        )


def _badness(verdict: TrackVerdict) -> tuple[int, float, int]:
    return BADNESS[verdict.state], -1.0 if verdict.score is None else verdict.score, -verdict.track


def _record(track: TrackPolicy, moment: Moment) -> FaceRecord:
    return FaceRecord(
        track=track.track,
        state=track.state if track.first_alert_s is None else State.ALERT,
        score=track.score.mean,
        first_alert_s=track.first_alert_s,
        judged_s=track.judged_s,
        kinds=track.kinds,
        reasons=track.verdict(moment).reasons,
    )
