# SPDX-License-Identifier: Apache-2.0
"""A crop with landmarks in, the mean colour of forehead and cheeks out."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.values import FaceCrop, Landmarks

__all__ = ["skin"]

FOREHEAD_AND_CHEEKS: Final = np.array([151, 108, 337, 50, 280, 205, 425])
"""Mesh indices of skin that neither speaks nor blinks and is seldom covered."""

SIDES: Final = np.array([234, 454])
HALF: Final = 0.06
"""Half the side of a patch, in face widths."""


def skin(crop: FaceCrop, landmarks: Landmarks) -> NDArray[np.float64] | None:
    """Mean RGB [3], 0..255, of the patches that lie inside the crop; None where none does."""
    to_crop = crop.to_crop
    at = landmarks.points[FOREHEAD_AND_CHEEKS, :2] @ to_crop[:, :2].T + to_crop[:, 2]
    across = (landmarks.points[SIDES[1], :2] - landmarks.points[SIDES[0], :2]) @ to_crop[:, :2].T
    half = max(1.0, HALF * float(np.hypot(*across)))
    if not (np.isfinite(at).all() and np.isfinite(half)):
        return None
    top = crop.rgb.shape[0]
    edges = np.clip(np.rint(np.concatenate((at - half, at + half), axis=1)), 0, top).astype(int)
    colours = [cv2.mean(crop.rgb[y0:y1, x0:x1])[:3] for x0, y0, x1, y1 in edges.tolist() if x1 > x0 and y1 > y0]
    return np.mean(colours, axis=0) if colours else None
