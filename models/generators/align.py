# SPDX-License-Identifier: Apache-2.0
"""Landmarks in, where a generator expects them out: an upright square about the face, and maps of its features."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.regions import INNER_LIPS, LEFT_EYE, LOWER_FACE, MOUTH, NOSE, ORGANS, OVAL, RIGHT_EYE, hull_mask
from models.forgeries.warp import Matrix, fit_similarity

__all__ = ["align", "contours", "lower_half", "move", "square"]

ANCHORS: Final = (LEFT_EYE, RIGHT_EYE, NOSE[8:14], MOUTH)
PLACES: Final = np.array([[0.345, 0.40], [0.655, 0.40], [0.5, 0.59], [0.5, 0.71]], np.float32)
"""Middles of eyes, nostrils and mouth in the unit square; the outline of a face then fills about four fifths of it."""

JAW: Final = OVAL[9:28]


def align(points: NDArray[np.float32], side_px: int, zoom: float = 1.0) -> Matrix:
    """Find the similarity [2, 3] from a picture to the square of `side_px`; `zoom` above 1 shows less of the face."""
    middles = np.stack([points[list(anchor)].mean(axis=0) for anchor in ANCHORS])
    return fit_similarity(middles, (0.5 + zoom * (PLACES - 0.5)) * side_px)


def move(points: NDArray[np.float32], matrix: Matrix) -> NDArray[np.float32]:
    """Carry points [N, 2] over."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def square(rgb: NDArray[np.uint8], matrix: Matrix, side_px: int) -> NDArray[np.uint8]:
    """Cut the square out of a picture uint8 [S, S, 3]; what lies outside repeats its edge."""
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(rgb, matrix, (side_px, side_px), flags=flags, borderMode=border), np.uint8)


def contours(points: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    """Draw jaw, brows and eyes, nose and lips as lines, float32 [side, side] in 0..1."""
    drawn = np.zeros((side_px, side_px), np.uint8)
    whole = np.rint(points * 8).astype(np.int32)
    lines = [(JAW, False), (MOUTH, True), (INNER_LIPS, True), (LEFT_EYE, True), (RIGHT_EYE, True)]
    lines += [(organ[-10:], True) for organ in ORGANS[:2]] + [(NOSE[:8], False)]
    for indices, closed in lines:
        cv2.polylines(drawn, [whole[list(indices)]], closed, 255, 1, cv2.LINE_AA, 3)
    return drawn.astype(np.float32) / 255.0


def lower_half(points: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    """Mark what a lip-sync generator paints anew: from under the nose to a little below the chin; 0 or 1."""
    chosen = points[list(LOWER_FACE)]
    middle = chosen.mean(axis=0)
    return hull_mask(middle + 1.12 * (chosen - middle), side_px)
