# SPDX-License-Identifier: Apache-2.0
"""Looks at one face and what the cues say of it in, the face's state out."""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.policy.cusum import CLIP_NATS, Cusum
from monitor.policy.profiles import STEP_S, OperatingPoint
from monitor.policy.score import RecentScore, score_of_nats
from monitor.policy.window import Window
from monitor.values import AttackKind, Evidence, FaceCrop, Reason, State, TimelineStep, TrackVerdict

__all__ = ["REPEATED", "TIMELINE_STEPS", "Moment", "TrackPolicy"]

REPEATED: Final = frozenset({AttackKind.FROZEN, AttackKind.LOOP})
"""Kinds that say the picture has been seen before: then the other cues only repeat themselves."""

TIMELINE_STEPS: Final = 30
"""Half a minute: an alert that carries it stays small enough for every broker."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What all tracks of a participant share at one step.

    `now_s` is the clock that only runs forward, `media_s` the time that is reported; `trust` 0..1 weighs evidence.
    """

    now_s: float
    media_s: float
    faces: int = 1
    trust: float = 1.0
    network: tuple[Reason, ...] = ()
    stalled: bool = False
    may_raise: bool = True


class TrackPolicy:
    """The sequential test of one face: one CUSUM for an attack, its mirror image for a bona fide person."""

    def __init__(self, track: int, point: OperatingPoint, moment: Moment) -> None:
        self.track = track
        self.state = State.INCONCLUSIVE
        self.judged_s = 0.0
        self.first_alert_s: float | None = None
        self.score = RecentScore()
        self.kinds: Mapping[AttackKind, float] = {}
        self._point = point
        self._attack = Cusum()
        self._bona_fide = Cusum()
        self._window = Window()
        self._timeline: deque[TimelineStep] = deque(maxlen=TIMELINE_STEPS)
        self._strongest: dict[str, Evidence] = {}
        self._latest: Mapping[str, Evidence] = {}
        self._since_s = moment.media_s
        self._entered_s = self._spoken_s = self._seen_s = moment.now_s
        self._gate: tuple[Reason, ...] = (Reason.NO_FACE,)
        self._repeated = False

    def see(self, moment: Moment, crop: FaceCrop | None, said: Sequence[Evidence]) -> None:
        """Take in one look: the face's crop, None when it was not seen, and what the cues say of it."""
        self._seen_s = self._seen_s if crop is None else moment.now_s
        self._gate = (Reason.NO_FACE,) if crop is None else crop.quality.reasons
        spoken = sorted((evidence for evidence in said if _speaks(evidence)), key=_order)
        repeats = [evidence for evidence in spoken if _repeats(evidence)]
        self._repeated = bool(repeats) if spoken else self._repeated
        self._take(moment, repeats or spoken)

    def _take(self, moment: Moment, spoken: Sequence[Evidence]) -> None:
        if self._window.due(moment.now_s):
            self._close(moment, STEP_S)
        if spoken:
            self._spoken_s = moment.now_s
            self._window.add(moment.now_s, spoken, moment.trust)
            self.score.add(moment.now_s, spoken)

    def unseen_s(self, moment: Moment) -> float:
        """Time since the face was last in a look."""
        return moment.now_s - self._seen_s

    def flush(self, moment: Moment) -> None:
        """Count the half-collected step: nothing more will come."""
        if self._window.start_s is not None:
            self._close(moment, min(STEP_S, self._window.span_s))

    def interrupt(self, media_s: float) -> None:
        """Drop the half-collected step and start the state's time anew: the timeline broke."""
        self._window.discard()
        self._since_s = media_s

    def _close(self, moment: Moment, seconds: float) -> None:
        step = self._window.close()
        self.judged_s += seconds
        self._timeline.append(TimelineStep(moment.media_s, self.score.recent, step.attack_nats))
        attack_nats = self._attack.step(step.attack_nats, self._point.raise_nats(moment.faces) + CLIP_NATS)
        self._bona_fide.step(step.bona_fide_nats, self._point.clear_nats + CLIP_NATS)
        self._latest = step.strongest
        for cue, evidence in step.strongest.items():
            if cue not in self._strongest or evidence.llr_nats > self._strongest[cue].llr_nats:
                self._strongest[cue] = evidence
        if attack_nats <= 0.0:
            self._strongest.clear()

    def decide(self, moment: Moment) -> None:
        """Move to the state that the evidence supports now."""
        state = self._next(moment)
        if state in {State.SUSPECT, State.ALERT}:
            self.kinds = _kinds(self._attack.shares, self._strongest) or self.kinds
        if state is self.state:
            return
        self.state = state
        self._since_s, self._entered_s = moment.media_s, moment.now_s
        if state is State.ALERT and self.first_alert_s is None:
            self.first_alert_s = moment.media_s

    def _next(self, moment: Moment) -> State:
        attack_nats = self._attack.nats
        on_nats, off_nats = self._point.raise_nats(moment.faces), self._point.lower_nats(moment.faces)
        if self.state is State.ALERT and not self._over(moment, attack_nats, off_nats):
            return State.ALERT
        if self._stale(moment):
            self._bona_fide.reset()
            return State.INCONCLUSIVE
        if attack_nats >= on_nats and moment.may_raise:
            return State.ALERT
        if attack_nats >= (0.5 * off_nats if self.state is State.SUSPECT else off_nats):
            return State.SUSPECT
        return State.CLEAR if self._clear() else State.INCONCLUSIVE

    def _over(self, moment: Moment, attack_nats: float, off_nats: float) -> bool:
        return attack_nats <= off_nats and moment.now_s - self._entered_s >= self._point.hold_s

    def _stale(self, moment: Moment) -> bool:
        return moment.stalled or moment.now_s - self._spoken_s > self._point.stale_s

    def _clear(self) -> bool:
        needed_nats = self._point.clear_nats * (0.5 if self.state is State.CLEAR else 1.0)
        return self._bona_fide.nats >= needed_nats and self.judged_s >= self._point.least_judged_s

    def verdict(self, moment: Moment) -> TrackVerdict:
        """The face's state, and all that explains it."""
        against = self._attack.nats >= self._bona_fide.nats
        shares = self._attack.shares if against else {cue: -n for cue, n in self._bona_fide.shares.items()}
        return TrackVerdict(
            track=self.track,
            state=self.state,
            score=self.score.recent,
            since_s=min(self._since_s, moment.media_s),
            reasons=self._reasons(moment),
            contributions=shares,
            kinds=_kinds(self._attack.shares, self._strongest),
            sentences=_sentences(shares, self._strongest if against else self._latest),
            judged_s=self.judged_s,
            timeline=tuple(self._timeline),
        )

    def alert_score(self) -> float:
        """Score 0..1 an alert on this face carries, whether or not a cue gave one."""
        recent = self.score.recent
        return score_of_nats(self._attack.nats) if recent is None else recent

    def _reasons(self, moment: Moment) -> tuple[Reason, ...]:
        if self.state is State.CLEAR:
            return ()
        reasons = {*self._gate, *moment.network}
        if moment.stalled:
            reasons = {Reason.STALLED}
        if self._repeated:
            reasons.add(Reason.FROZEN)
        if self.state is State.INCONCLUSIVE and not reasons:
            young = self.judged_s < self._point.least_judged_s
            reasons.add(Reason.WARMING_UP if young else Reason.WEAK_EVIDENCE)
        return tuple(sorted(reasons))


def _speaks(evidence: Evidence) -> bool:
    return evidence.reliability > 0.0 and math.isfinite(evidence.llr_nats) and math.isfinite(evidence.reliability)


def _repeats(evidence: Evidence) -> bool:
    kinds = evidence.kinds
    return evidence.llr_nats > 0.0 and bool(kinds) and max(kinds, key=lambda kind: kinds[kind]) in REPEATED


def _order(evidence: Evidence) -> tuple[str, float, float, str]:
    return evidence.cue, evidence.llr_nats, evidence.reliability, evidence.sentence


def _kinds(shares: Mapping[str, float], strongest: Mapping[str, Evidence]) -> dict[AttackKind, float]:
    """Weights of the attack kinds, summing to 1, each cue weighted by its nats; empty without evidence of an attack."""
    nats: dict[AttackKind, list[float]] = {}
    for cue, share in shares.items():
        for kind, weight in strongest[cue].kinds.items() if cue in strongest and share > 0.0 else ():
            nats.setdefault(kind, []).append(share * weight)
    sums = {kind: math.fsum(parts) for kind, parts in sorted(nats.items())}
    total = math.fsum(sums.values())
    return {kind: value / total for kind, value in sums.items()} if total > 0.0 else {}


def _sentences(shares: Mapping[str, float], strongest: Mapping[str, Evidence]) -> tuple[str, ...]:
    """What the cues say, the one with the largest share first."""
    cues: Iterable[str] = sorted((c for c in shares if c in strongest), key=lambda cue: (-abs(shares[cue]), cue))
    return tuple(strongest[cue].sentence for cue in cues)
