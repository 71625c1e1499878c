# SPDX-License-Identifier: Apache-2.0
"""Landmarks of one face in, evidence of a print or a still on a screen out when the face turns as a flat picture does.

Whoever holds a photograph before the camera moves it, and then it is not frozen; but its nose does not move against its
ears, and it does not speak. How that is measured, and where it comes from, is said in `flatness`.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.liveness.signals.beat import Beat, Step
from monitor.liveness.signals.flatness import POINTS, flatness
from monitor.liveness.signals.signal import abstain
from monitor.values import NO_CONTEXT, AttackKind, Context, Evidence, FaceCrop

__all__ = ["GAP_S", "ORIGIN", "WINDOW", "FlatFace"]

WINDOW: Final = 32
"""Looks that are compared, 6.4 s: within 4 s some bona fide people turn their heads and say nothing."""

EVERY: Final = 5
GAP_S: Final = 1.0

ORIGIN: Final = 1.25
"""Above what one new person in a hundred exceeds at worst (`python -m models.fusion.origins`): one person on a film
beside the footage came near this for a second."""

NATS_PER_UNIT: Final = 1.0
MOST_NATS: Final = 1.0
"""A tail extrapolated, not observed, so a second speaks softly."""

UNSEEN: Final = "The points of the face could not be found."
YOUNG: Final = "The face has not been seen long enough to tell whether it is flat."
DEEP: Final = "The face moves in itself and in depth, or hardly moves, which tells nothing."
FLAT: Final = "The face turns as a flat picture does: the nose does not move against the ears, and nothing else moves."

KINDS: Final = {AttackKind.PRINT: 0.5, AttackKind.REPLAY: 0.5}
"""A print and a still on a screen move alike."""


class FlatFace:
    """Holds the points of WINDOW looks and weighs them once a second."""

    cue = "parallax"

    def __init__(self) -> None:
        self._beat = Beat(GAP_S)
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=WINDOW)
        self._new = 0
        self._measure: float | None = None

    def look(self, crop: FaceCrop, _context: Context = NO_CONTEXT, /) -> Evidence:
        """Speak for `print` and `replay` while a plane explains the movement better than it does for anybody alive."""
        if crop.landmarks is None:
            return abstain(self.cue, crop, UNSEEN)
        self._remember(crop.media_s, crop.landmarks.points)
        if self._measure is None:
            return abstain(self.cue, crop, YOUNG)
        nats = min(MOST_NATS, NATS_PER_UNIT * (self._measure - ORIGIN))
        if nats <= 0.0:
            return abstain(self.cue, crop, DEEP, self._measure, ORIGIN)
        return Evidence(
            cue=self.cue,
            track=crop.track,
            media_s=crop.media_s,
            llr_nats=nats,
            reliability=crop.quality.weight,
            kinds=KINDS,
            sentence=FLAT,
            measure=self._measure,
            origin=ORIGIN,
        )

    def _remember(self, media_s: float, points: NDArray[np.float32]) -> None:
        step = self._beat.step(media_s)
        if step is Step.PASSED_OVER:
            return
        if step is Step.ANEW:
            self._recent.clear()
            self._measure, self._new = None, 0
        self._recent.append(points[POINTS, :2])
        self._new += 1
        if len(self._recent) == WINDOW and (self._new >= EVERY or self._measure is None):
            self._new = 0
            self._measure = flatness(np.stack(self._recent))
