# SPDX-License-Identifier: Apache-2.0
"""Evidence of about one second in, one step for the sequential test out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitor.policy.cusum import CLIP_BIAS_NATS, clip
from monitor.policy.profiles import STEP_S
from monitor.values import Evidence

__all__ = ["Step", "Window"]


@dataclass(frozen=True, slots=True)
class Step:
    """One independent observation: nats by cue for and against an attack, and each cue's strongest word."""

    attack_nats: Mapping[str, float]
    bona_fide_nats: Mapping[str, float]
    strongest: Mapping[str, Evidence]


@dataclass(slots=True)
class _Cue:
    count: int = 0
    weight: float = 0.0
    nats: float = 0.0
    strongest: Evidence | None = None


@dataclass(slots=True)
class Window:
    """Averages what the cues say within one step, so that more frames a second do not count as more evidence.

    Averaging keeps the bound whatever the dependence within the second: E[e^mean(x)] <= mean(E[e^x]) (Jensen).
    A weight below 1 keeps it too: E[e^(wx)] <= E[e^x]^w.
    """

    start_s: float | None = None
    last_s: float = 0.0
    _cues: dict[str, _Cue] = field(default_factory=dict)

    @property
    def span_s(self) -> float:
        """Time from the first to the last observation held."""
        return 0.0 if self.start_s is None else self.last_s - self.start_s

    def due(self, now_s: float) -> bool:
        """Whether the window is full: a step has passed since its first observation."""
        return self.start_s is not None and now_s - self.start_s >= STEP_S - 1e-6

    def add(self, now_s: float, spoken: Iterable[Evidence], trust: float) -> None:
        """Take in evidence that speaks, weighted by its reliability times `trust` (0..1 each)."""
        for evidence in spoken:
            self.start_s = now_s if self.start_s is None else self.start_s
            self.last_s = now_s
            _hold(self._cues.setdefault(evidence.cue, _Cue()), evidence, trust)

    def close(self) -> Step:
        """Hand out what was held and start empty."""
        cues = dict(sorted(self._cues.items()))
        self.discard()
        return Step(
            {name: (cue.nats - CLIP_BIAS_NATS * cue.weight) / cue.count for name, cue in cues.items()},
            {name: (-cue.nats - CLIP_BIAS_NATS * cue.weight) / cue.count for name, cue in cues.items()},
            {name: cue.strongest for name, cue in cues.items() if cue.strongest is not None},
        )

    def discard(self) -> None:
        """Forget what is held."""
        self.start_s = None
        self._cues = {}


def _hold(cue: _Cue, evidence: Evidence, trust: float) -> None:
    weight = evidence.reliability * trust
    cue.count += 1
    cue.weight += weight
    cue.nats += weight * clip(evidence.llr_nats)
    if cue.strongest is None or evidence.llr_nats > cue.strongest.llr_nats:
        cue.strongest = evidence
