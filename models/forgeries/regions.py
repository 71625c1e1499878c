# SPDX-License-Identifier: Apache-2.0
"""Face landmarks in, polygons of face regions out (indices of the MediaPipe face mesh, canonical model, 478 points)."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BELOW_BROWS",
    "CONTROL",
    "INNER",
    "INNER_LIPS",
    "LOWER_FACE",
    "MOUTH",
    "ORGANS",
    "OVAL",
    "RIGID",
    "face_px",
    "hull_mask",
]

# fmt: off
OVAL: Final = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
               149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
"""Outline of the face, from the forehead clockwise."""

LEFT_EYE: Final = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
RIGHT_EYE: Final = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
LEFT_BROW: Final = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
RIGHT_BROW: Final = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
NOSE: Final = (168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 98, 97, 326, 327, 48, 64, 278, 294, 129, 358)
MOUTH: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER_LIPS: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
"""Rim of the mouth's opening."""

LOWER_FACE: Final = (98, 2, 327, 426, 416, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 192, 206)
"""From under the nose to the chin, what lip-sync generators paint anew."""

BELOW_BROWS: Final = (127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361,
                      323, 454, 356, 70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
"""Jaw and brows, the outline of the 68-point scheme that classical swaps cut along."""

INNER: Final = LEFT_BROW + RIGHT_BROW + NOSE + MOUTH + LEFT_EYE + RIGHT_EYE
"""Brows, eyes, nose and mouth: their hull is the inner face that most swaps replace."""
# fmt: on

ORGANS: Final = (LEFT_EYE + LEFT_BROW, RIGHT_EYE + RIGHT_BROW, NOSE, MOUTH)
RIGID: Final = (33, 133, 263, 362, 168, 6, 197, 195, 4, 98, 327, 10, 127, 356)
"""Points that talking hardly moves."""

CONTROL: Final = tuple(dict.fromkeys(OVAL[::2] + LEFT_EYE[::3] + RIGHT_EYE[::3] + LEFT_BROW[::3] + RIGHT_BROW[::3] +
                                     NOSE[::3] + MOUTH[::2] + (13, 14, 50, 280, 205, 425)))  # fmt: skip
"""Points that carry one face's shape onto another in a thin-plate warp."""


def face_px(points: NDArray[np.float32]) -> float:
    """Measure the longer side of the box round the face, in pixels, from landmarks [478, 2]."""
    return float(np.ptp(points[list(OVAL)], axis=0).max())


def hull_mask(points: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    """Fill the convex hull of `points` float32 [N, 2]: 1 inside, 0 outside, float32 [side, side]."""
    hull = cv2.convexHull(np.rint(points).astype(np.int32))
    mask = np.zeros((side_px, side_px), np.float32)
    cv2.fillConvexPoly(mask, hull, 1.0)
    return mask
