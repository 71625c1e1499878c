# SPDX-License-Identifier: Apache-2.0
"""One face crop and its landmarks in, how well it can be judged out; pure.

The thresholds are drawn from 3,678 portraits and 86 clips (5,436 frames) of real people at a crop of 112 px, so that
hardly any bona fide face is refused; `python -m monitor.export` prints the shares for any footage.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.faces.boxes import MESH_POINTS, box_of
from monitor.values import Landmarks, Quality, Reason

__all__ = ["assess"]

MIN_EXPOSURE = 0.12
MAX_EXPOSURE = 0.88
"""Mean luma of the face. Bona fide stills lie within 0.16 and 0.84, films within 0.30 and 0.73."""

MIN_SHARPNESS = 4.0
FULL_SHARPNESS = 9.0
"""Below 4.0 lies 0.1 % of bona fide stills and no film frame; above 9.0 lie 99 % of film frames."""

MAX_YAW_DEG = 45.0
MAX_PITCH_DEG = 35.0
"""99.9 % of bona fide stills are turned less than 41 and 29 degrees, films less than 35 and 25."""

MIN_VISIBLE = 0.85
"""Share of mesh points inside the picture; the least in a bona fide still is 0.87."""

MIN_SPREAD = 0.7
"""Least area of the mesh's hull over its box (bona fide 0.75 to 0.88): a mesh fitted to a covered face folds up."""

MOUTH_DROP = (0.25, 0.62)
"""Range of the way from eyes to mouth over the height of the box, along the face (bona fide 0.32 to 0.54)."""

REFERENCE_PX = 112
"""Side of the crop for which the thresholds of sharpness hold."""

EYES = (33, 263)
LIPS = (13, 14)


def assess(
    crop: NDArray[np.uint8],
    to_crop: NDArray[np.float32],
    landmarks: Landmarks,
    picture_px: tuple[int, int],
    min_face_px: int,
) -> Quality:
    """Judge a crop, RGB uint8 [side, side, 3], cut by `to_crop` from a picture of (width, height) `picture_px`."""
    box = box_of(landmarks.points)
    face_px = min(box.width, box.height)
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
    exposure = _exposure(grey, to_crop, landmarks)
    sharpness = _sharpness(grey)
    yaw_deg, pitch_deg = _angles(landmarks)
    visible = _visible(landmarks, picture_px)
    checks = (
        (Reason.TOO_SMALL, face_px < min_face_px),
        (Reason.TOO_DARK, exposure < MIN_EXPOSURE),
        (Reason.TOO_BRIGHT, exposure > MAX_EXPOSURE),
        (Reason.BLURRED, sharpness < MIN_SHARPNESS),
        (Reason.TURNED_AWAY, yaw_deg > MAX_YAW_DEG or pitch_deg > MAX_PITCH_DEG),
        (Reason.OCCLUDED, visible < MIN_VISIBLE or not _plausible(landmarks, to_crop)),
    )
    reasons = tuple(reason for reason, holds in checks if holds)
    weight = 0.0 if reasons else _weight(face_px, min_face_px, sharpness, yaw_deg, pitch_deg)
    return Quality(face_px, sharpness, exposure, yaw_deg, pitch_deg, visible, weight, reasons)


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """Standard deviation of the Laplacian at one side for all, so that it does not depend on the detector."""
    size = (REFERENCE_PX, REFERENCE_PX)
    same = grey if grey.shape == size else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return float(cv2.meanStdDev(cv2.Laplacian(same, cv2.CV_32F))[1].item())


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


def _plausible(landmarks: Landmarks, to_crop: NDArray[np.float32]) -> bool:
    """Tell whether the mesh, seen upright, has the proportions of a face."""
    mesh = landmarks.points[:MESH_POINTS, :2] @ to_crop[:, :2].T
    width, height = np.ptp(mesh, axis=0).tolist()
    spread = float(cv2.contourArea(cv2.convexHull(mesh.astype(np.float32)))) / max(width * height, 1e-6)
    drop = float(mesh[list(LIPS), 1].mean() - mesh[list(EYES), 1].mean()) / max(height, 1e-6)
    return bool(spread >= MIN_SPREAD) and MOUTH_DROP[0] <= drop <= MOUTH_DROP[1]


def _weight(face_px: float, min_face_px: int, sharpness: float, yaw_deg: float, pitch_deg: float) -> float:
    size = _ramp(face_px, 0.5 * min_face_px, 2.0 * min_face_px)
    sharp = _ramp(sharpness, 0.5 * MIN_SHARPNESS, FULL_SHARPNESS)
    turned = 1.0 - 0.5 * max(yaw_deg / MAX_YAW_DEG, pitch_deg / MAX_PITCH_DEG) ** 2
    return size * sharp * turned


def _ramp(value: float, zero: float, one: float) -> float:
    return min(max((value - zero) / (one - zero), 0.0), 1.0)
