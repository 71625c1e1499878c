# SPDX-License-Identifier: Apache-2.0
"""Landmarks of a face in, where its head and its eyes point out."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.values import FaceCrop

__all__ = ["gaze", "head_deg"]

HEAD_DEG_PER_GAZE: Final = 30.0
"""Eyes turned as far as they go read about 1, which is some 30 degrees; eyes and head add up when somebody looks."""


def head_deg(crop: FaceCrop) -> NDArray[np.float64] | None:
    """Yaw and pitch of the head in degrees: positive to the participant's own left, and up; None when not known."""
    if crop.landmarks is None or crop.landmarks.pose is None:
        return None
    x, y, z = (float(part) for part in crop.landmarks.pose[:3, 2])
    length = math.sqrt(x * x + y * y + z * z)
    if not math.isfinite(length) or length <= 0.0:
        return None
    return np.array([math.degrees(math.atan2(x, z)), math.degrees(math.asin(y / length))])


def gaze(crop: FaceCrop) -> NDArray[np.float64] | None:
    """Direction looked in: to the participant's own left and up, about -1..1 without the head; None when not known."""
    head = head_deg(crop)
    if head is None or crop.landmarks is None or "eyeLookOutLeft" not in crop.landmarks.blendshapes:
        return None
    shape = crop.landmarks.blendshapes
    left = shape["eyeLookOutLeft"] - shape["eyeLookInLeft"] + shape["eyeLookInRight"] - shape["eyeLookOutRight"]
    up = shape["eyeLookUpLeft"] - shape["eyeLookDownLeft"] + shape["eyeLookUpRight"] - shape["eyeLookDownRight"]
    return np.array([left / 2.0, up / 2.0]) + head / HEAD_DEG_PER_GAZE
