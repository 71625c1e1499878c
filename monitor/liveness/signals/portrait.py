# SPDX-License-Identifier: Apache-2.0
"""Landmarks and crop of one look in, the shape of the face and its coarse appearance out."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.values import FaceCrop, Landmarks

__all__ = ["Array", "appearance", "laid_over", "shape"]

Array = NDArray[np.float64]

STEADY_POINTS: Final = (
    *(10, 67, 109, 338, 297, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 98, 327),
    *(33, 133, 362, 263, 129, 358, 48, 278, 234, 454, 127, 356, 93, 323, 132, 361),
    *(116, 345, 123, 352, 50, 280, 101, 330, 205, 425, 47, 277, 114, 343, 188, 412, 122, 351),
    *(152, 148, 377, 58, 288, 172, 397),
)
"""Mesh points on bone or close to it: forehead, nose, corners of the eyes, cheeks, outline of the jaw."""

EYES_NOSE_MOUTH: Final = (33, 133, 159, 145, 263, 362, 386, 374, 1, 61, 291)
MEANS: Final = np.zeros((5, 11))
MEANS[0, :4] = MEANS[1, 4:8] = 0.25
MEANS[2, 8] = MEANS[3, 9] = MEANS[4, 10] = 1.0
PLACES: Final = np.array([[10.0, 12.0], [22.0, 12.0], [16.0, 18.0], [12.0, 23.5], [20.0, 23.5]])
SIDE: Final = 32
"""Where the means of those points (either eye, nose, corners of the mouth) lie in an aligned picture of this side."""

CELLS: Final = 16
EDGE: Final = 2
"""The aligned picture is seen as so many cells a side, less a border where hair and background begin."""

DARK_LEVELS: Final = 16.0
"""Added to both sides of the face together before the logarithm, lest noise in shadows count as much as features."""


def shape(landmarks: Landmarks) -> Array:
    """Steady mesh points, centred, of unit size, float64 [61, 3]; turned as the head is."""
    points = landmarks.points[STEADY_POINTS, :].astype(np.float64)
    points -= points.mean(axis=0)
    return np.asarray(points / np.sqrt(np.square(points).sum(axis=1).mean() + 1e-12))


def laid_over(points: Array, onto: Array) -> Array:
    """Turn centred points [N, 3] so that they lie on others as well as they can (Kabsch 1976)."""
    left, _, right = np.linalg.svd(points.T @ onto)
    # A mirror image is another face.
    left[:, 2] *= np.sign(np.linalg.det(left @ right))
    return np.asarray(points @ left @ right)


def appearance(crop: FaceCrop, landmarks: Landmarks) -> Array:
    """Light and dark of the aligned face, float64 [144], unit length.

    Both sides are averaged and slow changes over the face taken off, so that lamps to the left, right or above change
    it little; the logarithm turns exposure into a constant, which goes as well.
    """
    small = cv2.resize(crop.rgb[..., 1], (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_AREA)
    half = 2 * SIDE / crop.rgb.shape[0]
    found = MEANS @ landmarks.points[EYES_NOSE_MOUTH, :2]
    matrix = _similarity((found @ crop.to_crop[:, :2].T + crop.to_crop[:, 2]) * half, PLACES)
    face = cv2.warpAffine(small, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    cells = cv2.resize(face + face[:, ::-1], (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    light = np.log(cells + DARK_LEVELS)
    light = light - cv2.GaussianBlur(light, (0, 0), CELLS / 6)
    inner = np.asarray(light[EDGE:-EDGE, EDGE:-EDGE], np.float64).ravel()
    inner -= inner.mean()
    return np.asarray(inner / np.sqrt(np.square(inner).sum() + 1e-6))


def _similarity(points: Array, onto: Array) -> Array:
    """The turn, scale and shift [2, 3] that brings points [N, 2] closest to others (least squares)."""
    before, after = points @ (1, 1j), onto @ (1, 1j)
    middle, goal = before.sum() / len(before), after.sum() / len(after)
    before, after = before - middle, after - goal
    turn = np.vdot(before, after) / (np.vdot(before, before).real + 1e-9)
    shift = goal - turn * middle
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
