# SPDX-License-Identifier: Apache-2.0
"""The crops of an answer in, how like an earlier answer it is out: a recording answers twice in the same way.

The measure is that of the cue `looped`: 8 x 8 cells of the aligned crop, less their mean over the stretch, and the
cosine of two stretches at the best shift. Measured on 200 s of one man: 80 stretches of 4 s in which he turned his head
by 10 degrees or more are at most 0.72 like any other time of the film, the same film sampled up to half a look apart at
least 0.92 like itself; for stretches of 2.5 s 0.73 and 0.85. More people have not been measured.
"""

from collections import deque
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.values import FaceCrop

__all__ = ["COPIED", "Answer", "likeness"]

SIDE: Final = 8
RATE_HZ: Final = 10.0
STRETCH: Final = 40
LEAST_STRETCH: Final = 25
"""Steps of RATE_HZ that are compared: the last 4 s, in which the answer came, or all of a shorter challenge."""

COPIED: Final = 0.82
"""Midway between the most that two honest turns gave and the least that one film gave."""

NOISE_LEVELS: Final = 1.0
MOVING: Final = 0.5
"""Mean length of the movement, 1 being far above the noise, as in `looped`: stills are alike by nature."""

MOST_LOOKS: Final = 600
"""Looks kept of an answer, 150 KiB: two minutes at 5 a second."""

Floats = NDArray[np.float32]


class Answer:
    """What a face did during one challenge, in fingerprints."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, Floats]] = deque(maxlen=MOST_LOOKS)

    def add(self, crop: FaceCrop, at_s: float) -> None:
        """Keep the fingerprint of a crop; times must rise."""
        small = cv2.resize(crop.rgb[..., 1], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        self._looks.append((at_s, np.asarray(small, np.float32).ravel()))

    def steady(self) -> Floats:
        """The fingerprints at RATE_HZ, float32 [N, 64]."""
        if len(self._looks) < 2:
            return np.zeros((0, SIDE * SIDE), np.float32)
        times_s = np.array([at_s for at_s, _ in self._looks])
        values = np.stack([values for _, values in self._looks])
        grid_s = np.arange(times_s[0], times_s[-1], 1.0 / RATE_HZ)
        return np.stack([np.interp(grid_s, times_s, column) for column in values.T], axis=1).astype(np.float32)


def likeness(answer: Answer, earlier: Answer) -> float:
    """Cosine -1..1 of the end of an answer with the most alike stretch of an earlier one; 0 when it hardly moves."""
    own, other = answer.steady(), earlier.steady()
    length = min(len(own), len(other), STRETCH)
    if length < LEAST_STRETCH:
        return 0.0
    last = _movement(own[-length:])
    if float(np.linalg.norm(last, axis=1).mean()) < MOVING:
        return 0.0
    stretches = (_movement(other[start : start + length]) for start in range(len(other) - length + 1))
    return max(_cosine(last, stretch) for stretch in stretches)


def _movement(prints: Floats) -> Floats:
    moved = prints - prints.mean(axis=0)
    return np.asarray(moved / np.sqrt(np.square(moved).sum(axis=1, keepdims=True) + SIDE**2 * NOISE_LEVELS**2))


def _cosine(one: Floats, other: Floats) -> float:
    return float((one * other).sum() / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-6))
