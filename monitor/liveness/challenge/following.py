# SPDX-License-Identifier: Apache-2.0
"""Readings of a face in; a random sequence shown step by step, and whether the face followed it, out.

The measure is the correlation of what was shown with what was read, at the best of the lags that a live call can have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.liveness.challenge.task import Finding, Shown, inconclusive
from monitor.values import AudioChunk, FaceCrop

__all__ = ["Follow", "Following", "Step"]

LAGS_S: Final = tuple(np.arange(0.1, 1.25, 0.1).tolist())
"""From the question to its effect in the picture: showing 0 to 0.3 s, people 0 to 0.4 s, the call 0.1 to 0.5 s."""

LATE_S: Final = tuple(np.arange(1.4, 4.05, 0.1).tolist())
"""An answer that comes this late was made by somebody, or something, that had to work it out first."""

LEAST_LOOKS_PER_S: Final = 3.0
MOST_SAMPLES: Final = 1200

Pairs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """One stimulus: when it begins, the two numbers a face that follows it shows, and how it is shown."""

    begin_s: float
    target: tuple[float, float]
    name: str
    shown: Shown


class Follow(Protocol):
    """What is followed: how a face is read, and what the correlation with the sequence says."""

    def read(self, crop: FaceCrop) -> Pairs | None:
        """One reading, float64 [2]; None when the face cannot be read."""

    def likeness(self, targets: Pairs, readings: Pairs, times_s: NDArray[np.float64]) -> float:
        """Correlation -1..1 of targets [N, 2] with readings [N, 2] at the times [N]."""

    def judge(self, in_time: float, late: float, lag_s: float, readings: Pairs) -> Finding:
        """The finding, from the best correlations in time and too late."""


class Following:
    """Shows the steps in their order up to `end_s`, reads the face meanwhile, and judges at the end."""

    def __init__(self, follow: Follow, steps: Sequence[Step], end_s: float) -> None:
        self._follow = follow
        self._steps = tuple(steps)
        self._begins_s = np.array([step.begin_s for step in steps])
        self._targets = np.array([step.target for step in steps], np.float64)
        self._end_s = end_s
        self._at_s = 0.0
        self._samples: list[tuple[float, float, float]] = []

    @property
    def shown(self) -> Shown:
        """The step of this moment."""
        step = self._steps[self._index]
        progress = min(self._at_s / self._end_s, 1.0)
        return Shown(step.shown.words, progress, point=step.shown.point, colour=step.shown.colour)

    @property
    def asked(self) -> tuple[str, ...]:
        """Steps shown so far."""
        return tuple(step.name for step in self._steps[: self._index + 1])

    @property
    def _index(self) -> int:
        return max(int(np.searchsorted(self._begins_s, self._at_s, side="right")) - 1, 0)

    def look(self, crop: FaceCrop, at_s: float, _sound: Sequence[AudioChunk] = ()) -> Finding | None:
        """Take in one crop; after the last step the sequence is judged."""
        self._at_s = at_s
        if at_s > self._end_s:
            return self.end()
        reading = self._follow.read(crop)
        if reading is not None and np.isfinite(reading).all() and len(self._samples) < MOST_SAMPLES:
            self._samples.append((at_s, *reading.tolist()))
        return None

    def end(self) -> Finding:
        """Judge what was seen; too little of it is inconclusive."""
        if self._at_s < self._end_s or len(self._samples) < LEAST_LOOKS_PER_S * self._end_s:
            return inconclusive("The face was not seen well enough while the sequence was shown.")
        table = np.array(self._samples)
        times_s, readings = table[:, 0], table[:, 1:]
        in_time = [self._likeness(times_s, readings, lag_s) for lag_s in LAGS_S]
        late = max(self._likeness(times_s, readings, lag_s) for lag_s in LATE_S)
        best = int(np.argmax(in_time))
        return self._follow.judge(in_time[best], late, LAGS_S[best], readings)

    def _likeness(self, times_s: NDArray[np.float64], readings: Pairs, lag_s: float) -> float:
        """Likeness at one lag, of the looks at which there was something to follow."""
        kept = times_s - lag_s >= self._begins_s[0]
        index = np.searchsorted(self._begins_s, times_s[kept] - lag_s, side="right") - 1
        return self._follow.likeness(self._targets[index], readings[kept], times_s[kept])
