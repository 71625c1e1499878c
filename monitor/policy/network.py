# SPDX-License-Identifier: Apache-2.0
"""Stream facts and picture quality in, trust in the evidence and a reason out.

A bitrate drop or a layer switch changes a face as a forgery would. A second CUSUM watches for such a change;
while it is high, evidence counts less (S-CuSum: a confusing change must not raise the alarm; Chen et al. 2024).
References follow slowly, so a lasting change becomes the new normal and cannot hide an attack for the whole call.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from monitor.policy.profiles import STEP_S
from monitor.values import FaceLook, Reason, StreamFacts

__all__ = ["DISTRUST", "NetworkWatch"]

DISTRUST: Final = 0.25
"""Weight of evidence while the network changes: a strong forgery still alerts, four times slower."""

HIGH: Final = 2.0
LOW: Final = 1.0
CEILING: Final = 4.0
QUIET_STEP: Final = -0.5
"""A sign counts 1 per step and a quiet step takes half back: high after two seconds of signs, over within six."""

REFERENCE_S: Final = 10.0
"""Time constant of the references: a lasting change is the new normal after about 15 s."""

LOSS_SHIFT: Final = 1.0
"""Change of ln(1 + lost packets per second) that is news: from none to two lost packets."""
BYTES_SHIFT: Final = math.log(3.0)
"""Fall of the bitrate to a third. Windows with and without a key frame differ from their mean by less."""
SHARPNESS_SHIFT: Final = math.log(1.6)
"""Sharpness of one live face varies by about a third within seconds (motion blur); a layer switch halves it."""
SIZE_SHIFT: Final = math.log(1.4)
"""People lean in by a quarter within a second at most; the next simulcast layer halves the face."""


@dataclass(slots=True)
class _Level:
    """A quantity on a log scale against its slow reference."""

    reason: Reason
    news: Callable[[float], bool]
    reference: float | None = None

    def step(self, value: float | None) -> bool:
        if value is None:
            return False
        if self.reference is None:
            self.reference = value
        shift = value - self.reference
        self.reference += shift * (1.0 - math.exp(-STEP_S / REFERENCE_S))
        return self.news(shift)


def _levels() -> dict[str, _Level]:
    return {
        "loss": _Level(Reason.NETWORK_CHANGED, lambda shift: shift > LOSS_SHIFT),
        "bytes": _Level(Reason.LOW_BITRATE, lambda shift: shift < -BYTES_SHIFT),
        "sharpness": _Level(Reason.NETWORK_CHANGED, lambda shift: abs(shift) > SHARPNESS_SHIFT),
        "size": _Level(Reason.NETWORK_CHANGED, lambda shift: abs(shift) > SIZE_SHIFT),
    }


@dataclass(slots=True)
class _Second:
    """What one step saw: lost packets, bytes, and sharpness and size of the largest face per frame.

    Another largest face (someone joins, a scene cut) starts anew: two faces differ without any network.
    """

    start_s: float
    track: int | None = None
    lost: int = 0
    received: list[int] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    face_px: list[float] = field(default_factory=list)

    def values(self, seconds: float) -> dict[str, float | None]:
        """Means of the step on a log scale; None where nothing was seen."""
        return {
            "loss": math.log1p(self.lost / seconds),
            "bytes": math.log1p(sum(self.received) / seconds) if self.received else None,
            "sharpness": _log_mean(self.sharpness),
            "size": _log_mean(self.face_px),
        }


def _log_mean(values: list[float]) -> float | None:
    return math.log(sum(values) / len(values)) if values else None


class NetworkWatch:
    """CUSUM on the signs of a changed network; `trust` weighs evidence, `reasons` say why it counts less."""

    def __init__(self) -> None:
        self.level = 0.0
        self.high = False
        self._signs: set[Reason] = set()
        self._levels = _levels()
        self._second: _Second | None = None
        self._track: int | None = None

    @property
    def trust(self) -> float:
        """Weight of evidence now, 0..1."""
        return DISTRUST if self.high else 1.0

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why evidence counts less; empty while it counts in full."""
        return tuple(sorted(self._signs)) if self.high else ()

    def step(self, now_s: float, look: FaceLook | None, facts: StreamFacts) -> None:
        """Take in one frame's facts; judged once a second."""
        if self._second is not None and now_s - self._second.start_s >= STEP_S:
            self._judge(self._second, now_s - self._second.start_s)
            self._second = None
        self._second = self._second or _Second(now_s)
        _note(self._second, look, facts)

    def interrupt(self) -> None:
        """Drop the half-collected second: the timeline broke."""
        self._second = None

    def _judge(self, second: _Second, seconds: float) -> None:
        if second.track is not None and second.track != self._track:
            self._track = second.track
            self._levels["sharpness"].reference = self._levels["size"].reference = None
        values = second.values(seconds)
        signs = {level.reason for name, level in self._levels.items() if level.step(values[name])}
        self.level = max(0.0, min(CEILING, self.level + (1.0 if signs else QUIET_STEP)))
        self._signs |= signs
        self.high = self.level >= HIGH or (self.high and self.level > LOW)
        if not self.level:
            self._signs.clear()


def _note(second: _Second, look: FaceLook | None, facts: StreamFacts) -> None:
    second.lost += max(0, facts.lost_packets)
    if facts.received_bytes is not None:
        second.received.append(max(0, facts.received_bytes))
    if look is None or not look.crops:
        return
    largest = max(look.crops, key=lambda crop: (crop.quality.face_px, -crop.track))
    if largest.track != second.track:
        second.track = largest.track
        second.sharpness.clear()
        second.face_px.clear()
    second.sharpness.append(max(largest.quality.sharpness, 0.1))
    second.face_px.append(max(largest.quality.face_px, 1.0))
