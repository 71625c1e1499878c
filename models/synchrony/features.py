# SPDX-License-Identifier: Apache-2.0
"""16 kHz sound and face landmarks in, log-mel frames and mouth shapes out: what synchrony is learnt from.

Mel bands as in Davis and Mermelstein 1980 (IEEE Trans. ASSP 28); landmarks are MediaPipe's 478 points.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BANDS", "FRAME", "FRAMES_PER_S", "HOP", "MOUTH", "RATE_HZ", "REACH", "around", "log_mel", "mouth"]

Floats = NDArray[np.float32]

RATE_HZ: Final = 16_000
FRAME: Final = 400
HOP: Final = 160
FRAMES_PER_S: Final = RATE_HZ // HOP
BANDS: Final = 32
SIZE: Final = 512
LOWEST_HZ: Final = 80.0
HIGHEST_HZ: Final = 7600.0
FLOOR: Final = 1e-6

STEPS: Final = np.arange(-24, 25, 4)
REACH: Final = 24
"""Frames before and after a moment that its mouth is told from: 0.24 s, more than a syllable."""

SHAPES: Final = (
    ("jawOpen",),
    ("mouthLowerDownLeft", "mouthLowerDownRight"),
    ("mouthPucker",),
    ("mouthFunnel",),
    ("mouthClose",),
    ("mouthRollLower",),
    ("mouthStretchLeft", "mouthStretchRight"),
    ("mouthUpperUpLeft", "mouthUpperUpRight"),
)
MOUTH: Final = 2 + len(SHAPES)
"""Numbers that describe a mouth: opening over width, width over the face's, and mean blendshapes."""

INNER_LIPS: Final = ((82, 87), (13, 14), (312, 317))
CORNERS: Final = (78, 308)
EYES: Final = (33, 263)


def log_mel(samples: Floats) -> Floats:
    """Sound float32 [n] within -1..1 to log energies float32 [(n - FRAME) // HOP + 1, BANDS]."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP] * WINDOW
    power = np.square(np.abs(np.fft.rfft(frames, SIZE))).astype(np.float32)
    return np.asarray(np.log(power @ BANK + np.float32(FLOOR)), np.float32)


def around(frames: Floats, at: NDArray[np.int_]) -> Floats:
    """What is heard around each of the frames `at`, float32 [len(at), features]; beyond the ends their last repeats."""
    picked = frames[np.clip(at[:, None] + STEPS, 0, len(frames) - 1)]
    return np.asarray(picked.reshape(len(at), -1), np.float32)


def mouth(points: Floats, blendshapes: Mapping[str, float]) -> Floats:
    """The shape of a mouth, float32 [MOUTH], free of scale; `points` float32 [478, 3], an absent blendshape is 0."""
    width = _distance(points, CORNERS)
    opening = float(np.mean([_distance(points, pair) for pair in INNER_LIPS]))
    shapes = [float(np.mean([blendshapes.get(name, 0.0) for name in names])) for names in SHAPES]
    return np.asarray([opening / max(width, 1e-3), width / max(_distance(points, EYES), 1e-3), *shapes], np.float32)


def _distance(points: Floats, pair: tuple[int, int]) -> float:
    return float(np.linalg.norm(points[pair[0]] - points[pair[1]]))


def _bank() -> Floats:
    def mel(hertz: float) -> float:
        return float(2595.0 * np.log10(1.0 + hertz / 700.0))

    edges = 700.0 * (10.0 ** (np.linspace(mel(LOWEST_HZ), mel(HIGHEST_HZ), BANDS + 2) / 2595.0) - 1.0)
    hertz = np.arange(SIZE // 2 + 1)[:, None] * RATE_HZ / SIZE
    rising = (hertz - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - hertz) / np.diff(edges)[1:]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)), np.float32)


BANK: Final = _bank()
WINDOW: Final = np.hanning(FRAME).astype(np.float32)
