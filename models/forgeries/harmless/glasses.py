# SPDX-License-Identifier: Apache-2.0
"""Glasses: glare of a screen or a window on two lenses, with or without a drawn rim."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Pixels, blend
from models.forgeries.regions import LEFT_EYE, RIGHT_EYE

__all__ = ["glasses_glare"]

RIMMED_SHARE: Final = 0.6
LENS: Final = (0.42, 0.34)
"""Half axes of a lens as shares of the distance between the eyes."""


def glasses_glare(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Put a pair of lenses before the eyes; the glare stays where the light is while the head moves."""
    light = tuple(float(level) for level in rng.uniform(170, 255, 3))
    strength, rimmed = float(rng.uniform(0.2, 0.75)), rng.random() < RIMMED_SHARE
    rim = tuple(float(level) for level in rng.uniform(5, 90) * np.ones(3))
    glare_at, turn = rng.uniform(-0.6, 0.6, 2), float(rng.uniform(-60, 60))
    first = clip.points[0][list(LEFT_EYE + RIGHT_EYE)].mean(axis=0)
    treated = []
    for rgb, points in zip(clip.rgb, clip.points, strict=True):
        left, right = points[list(LEFT_EYE)].mean(axis=0), points[list(RIGHT_EYE)].mean(axis=0)
        apart = max(float(np.linalg.norm(right - left)), 2.0)
        back = (first - (left + right) / 2) / apart
        worn = rgb
        for eye in (left, right):
            lens = _lens(eye, left, right, clip.side_px)
            spot = _spot(eye + (glare_at * LENS + back) * apart, apart, turn, clip.side_px) * lens * strength
            worn = blend(worn, np.full_like(rgb, np.array(light, np.uint8)), spot)
        treated.append(_rim(worn, left, right, rim) if rimmed else worn)
    return np.stack(treated)


def _lens(
    eye: NDArray[np.float32], left: NDArray[np.float32], right: NDArray[np.float32], side_px: int
) -> NDArray[np.float32]:
    lens = np.zeros((side_px, side_px), np.float32)
    cv2.ellipse(lens, *_oval(eye, left, right), 1.0, -1, cv2.LINE_AA)
    return lens


def _oval(
    eye: NDArray[np.float32], left: NDArray[np.float32], right: NDArray[np.float32]
) -> tuple[tuple[int, int], tuple[int, int], float, float, float]:
    """Middle, half axes, tilt and the full turn of a lens."""
    across = right - left
    apart = max(float(np.linalg.norm(across)), 2.0)
    tilt = float(np.degrees(np.arctan2(across[1], across[0])))
    middle = (round(float(eye[0])), round(float(eye[1] + 0.05 * apart)))
    return middle, (max(1, round(LENS[0] * apart)), max(1, round(LENS[1] * apart))), tilt, 0.0, 360.0


def _spot(at: NDArray[np.float32], apart: float, turn: float, side_px: int) -> NDArray[np.float32]:
    spot = np.zeros((side_px, side_px), np.float32)
    box = cv2.boxPoints(((float(at[0]), float(at[1])), (0.42 * apart, 0.26 * apart), turn))
    cv2.fillConvexPoly(spot, np.rint(box).astype(np.int32), 1.0, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(spot, (0, 0), max(0.7, 0.03 * apart)), np.float32)


def _rim(rgb: Pixels, left: NDArray[np.float32], right: NDArray[np.float32], colour: tuple[float, ...]) -> Pixels:
    framed = rgb.copy()
    apart = float(np.linalg.norm(right - left))
    thick = max(1, round(0.035 * apart))
    for eye in (left, right):
        cv2.ellipse(framed, *_oval(eye, left, right), colour, thick, cv2.LINE_AA)
    inner = 0.58 * left + 0.42 * right, 0.42 * left + 0.58 * right
    ends = [tuple(np.rint(end).astype(int).tolist()) for end in inner]
    cv2.line(framed, ends[0], ends[1], colour, thick, cv2.LINE_AA)
    return framed
