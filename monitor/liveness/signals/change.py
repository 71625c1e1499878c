# SPDX-License-Identifier: Apache-2.0
"""Crops of one face in, evidence of another face out when it differs from the one of the first minute.

A generator that is switched on in the call, or another person in the same chair, changes the bones of the face and
its features at once; light, glasses and filters change only the features, expression only a little of the shape. So
both must differ: the steady points of the mesh, laid over one another (Procrustes analysis: Kabsch 1976, Acta Cryst.
A32; Dryden and Mardia, Statistical Shape Analysis), and a coarse aligned picture of the face, evened out against
light. Unlike a comparison with a stored reference (Agarwal et al., CVPR workshops 2019) nothing outlives the call.
Comparing faces is biometric processing in some jurisdictions: what is remembered are means over the first minute,
held with the track and forgotten with it. Clips of seconds set the constants, not whole calls.
"""

import math
from collections import deque
from typing import Final

import numpy as np

from monitor.liveness.signals.portrait import Array, appearance, laid_over, shape
from monitor.liveness.signals.signal import abstain
from monitor.values import NO_CONTEXT, AttackKind, Context, Evidence, FaceCrop, Landmarks

__all__ = ["FIRST_LOOKS", "FRONTAL_DEG", "RECENT_LOOKS", "FaceChange"]

FIRST_S: Final = 60.0
FIRST_LOOKS: Final = 15
"""The face is learned for a minute, and compared once this many looks are behind the newest ones."""

RECENT_LOOKS: Final = 15
"""The newest looks, 3 s: the mean of fewer is unsteady, more would be late."""

FRONTAL_DEG: Final = 25.0
"""Heads turned further are left out: the mesh guesses the far side of a face."""

GAP_S: Final = 2.0
"""After a longer gap the newest looks are gathered anew; the face of the first minute stays, as the question does."""

SHAPE_LOG: Final = (-4.21, 0.412)
APPEARANCE_LOG: Final = (-3.54, 0.838)
"""About the mean and the deviation, over people, of the logarithm of what one of them differs by within a clip."""

ORIGIN: Final = 2.52
"""What one new person in a hundred exceeds at worst (`python -m models.fusion.origins`)."""

SLOPE_NATS: Final = 1.0
MOST_NATS: Final = 1.0
"""Modest, for the tail is extrapolated: at least a quarter of a minute to an alert."""

KINDS: Final = {AttackKind.FACE_SWAP: 0.8, AttackKind.REENACTMENT: 0.1, AttackKind.SYNTHETIC: 0.1}

YOUNG: Final = "The face has not been seen long enough to tell whether it changes."
TURNED: Final = "The head is turned too far to compare the face with how it was."
UNSEEN: Final = "The points of the face are not known, so it cannot be compared."
SAME: Final = "The face is like the one of the first minute."
OTHER: Final = "Shape and features of the face differ from those of the first minute, as when another face is put on."


class _Mean:
    """Mean of shapes and appearances, whatever their number."""

    def __init__(self) -> None:
        self.looks = 0
        self._shape: Array | float = 0.0
        self._appearance: Array | float = 0.0

    def add(self, seen: tuple[Array, Array], sign: int = 1) -> None:
        self._shape, self._appearance = self._shape + sign * seen[0], self._appearance + sign * seen[1]
        self.looks += sign

    @property
    def mean(self) -> tuple[Array, Array]:
        return np.asarray(self._shape / self.looks), np.asarray(self._appearance / self.looks)


class FaceChange:
    """Compares the mean of the newest looks with that of the first minute; holds two means and RECENT_LOOKS looks."""

    cue = "change"

    def __init__(self) -> None:
        self._begin()
        self._last_s = self._began_s = 0.0

    def look(self, crop: FaceCrop, _context: Context = NO_CONTEXT, /) -> Evidence:
        """Speak for an attack while shape and appearance both differ; abstain otherwise."""
        gap_s, self._last_s = crop.media_s - self._last_s, crop.media_s
        if gap_s < 0.0:
            self._begin()
        elif gap_s > GAP_S:
            self._gather()
        if crop.landmarks is None:
            return abstain(self.cue, crop, UNSEEN)
        if max(crop.quality.yaw_deg, crop.quality.pitch_deg) > FRONTAL_DEG:
            return abstain(self.cue, crop, TURNED)
        return self._compare(crop, crop.landmarks)

    def _begin(self) -> None:
        self._anchor: Array | None = None
        self._first = _Mean()
        self._speaks = False
        self._gather()

    def _gather(self) -> None:
        self._looks: deque[tuple[Array, Array]] = deque()
        self._recent = _Mean()

    def _compare(self, crop: FaceCrop, landmarks: Landmarks) -> Evidence:
        self._remember(crop, landmarks)
        if self._first.looks < FIRST_LOOKS or self._recent.looks < RECENT_LOOKS:
            return abstain(self.cue, crop, YOUNG)
        measure = self._measure()
        self._speaks = measure > ORIGIN
        if not self._speaks:
            return abstain(self.cue, crop, SAME, measure, ORIGIN)
        nats = min(SLOPE_NATS * (measure - ORIGIN), MOST_NATS)
        weight = crop.quality.weight
        return Evidence(self.cue, crop.track, crop.media_s, nats, weight, KINDS, OTHER, measure=measure, origin=ORIGIN)

    def _remember(self, crop: FaceCrop, landmarks: Landmarks) -> None:
        seen = shape(landmarks)
        if self._anchor is None:
            self._anchor, self._began_s = seen, crop.media_s
        self._looks.append((laid_over(seen, self._anchor), appearance(crop, landmarks)))
        self._recent.add(self._looks[-1])
        if len(self._looks) <= RECENT_LOOKS:
            return
        oldest = self._looks.popleft()
        self._recent.add(oldest, -1)
        learning = crop.media_s - self._began_s <= FIRST_S or self._first.looks < FIRST_LOOKS
        if learning and not self._speaks:
            self._first.add(oldest)

    def _measure(self) -> float:
        """The lesser of two differences, in deviations of what one person differs by."""
        was_shape, was_seen = self._first.mean
        is_shape, is_seen = self._recent.mean
        apart = np.sqrt(np.square(laid_over(is_shape, was_shape) - was_shape).sum(axis=1).mean())
        lengths = np.linalg.norm(was_seen) * np.linalg.norm(is_seen)
        unlike = 1.0 - float(was_seen @ is_seen) / (float(lengths) + 1e-9)
        return min(_deviations(float(apart), SHAPE_LOG), _deviations(unlike, APPEARANCE_LOG))


def _deviations(difference: float, log: tuple[float, float]) -> float:
    return (math.log(max(difference, 1e-6)) - log[0]) / log[1]
