# SPDX-License-Identifier: Apache-2.0
"""What a stream says of its timing in, a hint of a sender that is no browser's camera out.

Browsers stamp pictures with the time of capture in whole milliseconds, times 90 (WebRTC's native code, method
`VideoStreamEncoder::OnFrame`), and cameras and timers waver. Programs that play a file or draw a picture write steps of
exactly 1/30 or 1001/30000 s, which no whole number of milliseconds is. An injection attack (CEN/TS 18099:2024) without
a browser shows this; one through a virtual camera under a browser does not. Encoders, streaming programs and IP cameras
of honest people write such steps as well, so the hint counts once and little: alone it never raises an alert.

How many honest participants send by other programs was not measured, which is why the hint has a ceiling.
"""

from typing import Final

from monitor.liveness.signals.signal import abstain
from monitor.values import NO_CONTEXT, AttackKind, Context, Evidence, FaceCrop, Stamps

__all__ = ["HINT_NATS", "HINT_S", "LEAST_STEPS", "InjectedStream"]

LEAST_STEPS: Final = 300
"""Steps before their evenness is told, 10 s of 30 pictures a second, and told anew after as many more."""

EVEN_SHARE: Final = 0.8
"""A jump in a film spoils two steps; pictures left out spoil none. Chance keeps a beat in one step of a hundred."""

HINT_NATS: Final = 0.5
HINT_S: Final = 4.0
"""Nats a second, and for how long in all: 2 nats a face, a sixth of what an alert takes. A fact about the sender is one
observation, however long the call."""

GAP_S: Final = 10.0
"""After a longer gap the stream may be another one, so its steps are counted anew."""

KINDS: Final = {
    AttackKind.FACE_SWAP: 0.4,
    AttackKind.SYNTHETIC: 0.2,
    AttackKind.REENACTMENT: 0.2,
    AttackKind.LIP_SYNC: 0.1,
    AttackKind.LOOP: 0.1,
}
"""What is likely to be injected, beforehand; the timing cannot tell."""

FILED: Final = "The recording has no timing of its own to judge."
YOUNG: Final = "The stream has not been seen long enough to judge its timing."
UNEVEN: Final = "The pictures come as unevenly as from a camera in a browser."
TOLD: Final = "The pictures come at perfectly even times; this hint has been counted."
EVEN: Final = (
    "The pictures come at perfectly even times, as from a program that plays a film, not from a browser's camera."
)


class InjectedStream:
    """Counts even steps over LEAST_STEPS at a time; holds a handful of numbers."""

    cue = "injected"

    def __init__(self) -> None:
        self._last_s = self._spoken_s = 0.0
        self._begin()

    def look(self, crop: FaceCrop, context: Context = NO_CONTEXT, /) -> Evidence:
        """Speak for HINT_S while steps are even; abstain otherwise, for uneven steps prove no camera."""
        step_s, self._last_s = crop.media_s - self._last_s, crop.media_s
        if not 0.0 <= step_s <= GAP_S:
            self._begin()
        stamps = context.facts.stamps
        if stamps is None:
            return abstain(self.cue, crop, FILED)
        self._count(stamps)
        if self._share is None:
            return abstain(self.cue, crop, YOUNG)
        if self._share < EVEN_SHARE:
            return abstain(self.cue, crop, UNEVEN, self._share)
        return self._speak(crop, min(step_s, 1.0))

    def _begin(self) -> None:
        self._steps = self._even = 0
        self._share: float | None = None

    def _count(self, stamps: Stamps) -> None:
        self._steps += stamps.steps
        self._even += stamps.even
        if self._steps >= LEAST_STEPS:
            share = self._even / self._steps
            self._begin()
            self._share = share

    def _speak(self, crop: FaceCrop, step_s: float) -> Evidence:
        if self._spoken_s >= HINT_S:
            return abstain(self.cue, crop, TOLD, self._share)
        self._spoken_s += max(step_s, 0.0)
        return Evidence(self.cue, crop.track, crop.media_s, HINT_NATS, 1.0, KINDS, EVEN, measure=self._share)
