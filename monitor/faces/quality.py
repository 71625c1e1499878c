# SPDX-License-Identifier: Apache-2.0
"""One face crop and its landmarks in, how well it can be judged out; pure."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.values import FaceBox, Landmarks, Quality, Reason

__all__ = ["assess"]

MIN_EXPOSURE = 0.13
MAX_EXPOSURE = 0.88
MIN_SHARPNESS = 3.0
FULL_SHARPNESS = 8.0
MAX_YAW_DEG = 50.0
MAX_PITCH_DEG = 40.0
MIN_VISIBLE = 0.85


def assess(
    crop: NDArray[np.uint8], to_crop: NDArray[np.float32], landmarks: Landmarks, box: FaceBox,
    picture_px: tuple[int, int], min_face_px: int,
) -> Quality:
    """Judge a crop, RGB uint8 [side, side, 3], cut by `to_crop` from a picture of (width, height) `picture_px`."""
    face_px = min(box.width, box.height)
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
    exposure = _exposure(grey, to_crop, landmarks)
    sharpness = float(np.std(cv2.Laplacian(grey, cv2.CV_32F)))
    yaw_deg, pitch_deg = _angles(landmarks)
    visible = _visible(landmarks, picture_px)
    checks = (
        (Reason.TOO_SMALL, face_px < min_face_px),
        (Reason.TOO_DARK, exposure < MIN_EXPOSURE),
        (Reason.TOO_BRIGHT, exposure > MAX_EXPOSURE),
        (Reason.BLURRED, sharpness < MIN_SHARPNESS),
        (Reason.TURNED_AWAY, yaw_deg > MAX_YAW_DEG or pitch_deg > MAX_PITCH_DEG),
        (Reason.OCCLUDED, visible < MIN_VISIBLE),
    )
    reasons = tuple(reason for reason, holds in checks if holds)
    weight = 0.0 if reasons else _weight(face_px, min_face_px, sharpness, yaw_deg, pitch_deg)
    return Quality(face_px, sharpness, exposure, yaw_deg, pitch_deg, visible, weight, reasons)


def _exposure(grey: NDArray[np.uint8], to_crop: NDArray[np.float32], landmarks: Landmarks) -> float:
    points = landmarks.points[:, :2] @ to_crop[:, :2].T + to_crop[:, 2]
    mask = np.zeros(grey.shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(points.astype(np.float32)).astype(np.int32), 255)
    return float(cv2.mean(grey, mask)[0]) / 255.0


def _angles(landmarks: Landmarks) -> tuple[float, float]:
    if landmarks.pose is None:
        return 0.0, 0.0
    forward = landmarks.pose[:3, 2] / max(float(np.linalg.norm(landmarks.pose[:3, 2])), 1e-9)
    yaw = math.degrees(math.atan2(abs(float(forward[0])), float(forward[2])))
    pitch = math.degrees(math.asin(min(abs(float(forward[1])), 1.0)))
    return yaw, pitch


def _visible(landmarks: Landmarks, picture_px: tuple[int, int]) -> float:
    points = landmarks.points[:, :2]
    inside = (points >= 0) & (points <= np.array(picture_px, np.float32))
    return float(inside.all(axis=1).mean())


def _weight(face_px: float, min_face_px: int, sharpness: float, yaw_deg: float, pitch_deg: float) -> float:
    size = _ramp(face_px, 0.5 * min_face_px, 2.0 * min_face_px)
    sharp = _ramp(sharpness, 0.5 * MIN_SHARPNESS, FULL_SHARPNESS)
    turned = 1.0 - 0.5 * max(yaw_deg / MAX_YAW_DEG, pitch_deg / MAX_PITCH_DEG) ** 2
    return size * sharp * turned


def _ramp(value: float, zero: float, one: float) -> float:
    return min(max((value - zero) / (one - zero), 0.0), 1.0)
