# SPDX-License-Identifier: Apache-2.0
"""What the face detector network says of a picture in, the faces that are meant out; pure.

BlazeFace (Bazarevsky et al., 2019), short range: two candidates in each cell of a grid of 16 x 16, six of one of 8 x 8.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CANDIDATES", "DETECTOR_PX", "Detection", "detections"]

DETECTOR_PX: Final = 128
"""Side of the detector's input."""

GRIDS: Final = ((16, 2), (8, 6))
"""Cells along a side, candidates in a cell."""

EYES: Final = slice(2, 4)
"""Of the pairs of numbers of a candidate: middle, size, then six points, the eyes first."""

LEAST_LOGIT: Final = 0.0
SAME_FACE: Final = 0.3
"""Logit of a face (probability one half), and the overlap (intersection over union) from which two candidates are one
face: what MediaPipe's face landmarker takes by default."""


def _middles() -> NDArray[np.float64]:
    cells = [((x + 0.5) / side, (y + 0.5) / side) for side, _ in GRIDS for y in range(side) for x in range(side)]
    return np.repeat(np.array(cells), [each for side, each in GRIDS for _ in range(side * side)], axis=0)


MIDDLES: Final = _middles()
CANDIDATES: Final = len(MIDDLES)


class Detection(NamedTuple):
    """A face: two corners of its bounds and two eyes (the one on the left first), float64 [2, 2] as x, y in pixels."""

    corners: NDArray[np.float64]
    eyes: NDArray[np.float64]


def detections(numbers: NDArray[np.float32], logits: NDArray[np.float32], most: int) -> list[Detection]:
    """Read candidates float32 [896, 16] and their logits [896], the likeliest faces first, at most so many.

    Candidates of one face are averaged, weighted by their probability (the paper's blending), in pixels of the
    detector's input.
    """
    likely = np.flatnonzero(logits >= LEAST_LOGIT)
    scores = 1 / (1 + np.exp(-logits[likely].astype(np.float64)))
    points = _points(numbers[likely], MIDDLES[likely])
    found: list[Detection] = []
    while len(scores) and len(found) < most:
        best = scores.argmax()
        same = _overlap(points, points[best]) > SAME_FACE
        same[best] = True
        found.append(_blended(points[same], scores[same]))
        scores, points = scores[~same], points[~same]
    return found


def _points(numbers: NDArray[np.float32], middles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give two corners and the two eyes of each candidate, float64 [n, 4, 2]."""
    pairs = numbers.astype(np.float64).reshape(-1, 8, 2)
    middle, half = middles * DETECTOR_PX + pairs[:, 0], pairs[:, 1] / 2
    eyes = middles[:, None] * DETECTOR_PX + pairs[:, EYES]
    return np.concatenate([(middle - half)[:, None], (middle + half)[:, None], eyes], axis=1)


def _blended(points: NDArray[np.float64], scores: NDArray[np.float64]) -> Detection:
    mean = np.average(points, axis=0, weights=scores)
    return Detection(mean[:2], mean[2:])


def _overlap(points: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give intersection over union of bounds; what has no area overlaps nothing."""
    low, high = np.maximum(points[:, 0], other[0]), np.minimum(points[:, 1], other[1])
    shared = np.clip(high - low, 0.0, None).prod(axis=1)
    areas = np.clip(points[:, 1] - points[:, 0], 0.0, None).prod(axis=1)
    union = areas + np.clip(other[1] - other[0], 0.0, None).prod() - shared
    return np.asarray(shared / np.where(union > 0.0, union, np.inf), np.float64)
