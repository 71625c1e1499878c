# SPDX-License-Identifier: Apache-2.0
"""A pose, a closure of the eyes and a colour of the skin in, a crop with the landmarks of such a head out."""

from dataclasses import replace

import numpy as np

from monitor.values import FaceCrop, Landmarks, Quality
from tests.fakes.timeline import crop, quality

__all__ = ["BALL", "rotation", "seen"]

_SOURCE = np.random.default_rng(3)
_ANGLES = _SOURCE.uniform(-1.2, 1.2, (478, 2))
BALL = np.stack((np.sin(_ANGLES[:, 0]), np.sin(_ANGLES[:, 1]), -np.prod(np.cos(_ANGLES), axis=1)), axis=1)
"""Points [478, 3] on the front of a ball, about one face wide."""

DITHER = _SOURCE.uniform(0, 1, (128, 128, 1)).astype(np.float32)
"""Makes colours between two grey levels."""

CENTRE = 64.0
RADIUS = 40.0


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """Rotation matrix [3, 3] of angles in radians."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ nod @ turn


def seen(
    media_s: float,
    points: np.ndarray = BALL,
    *,
    pose: np.ndarray | None = None,
    closure: float = 0.1,
    colour: tuple[float, float, float] = (150.0, 110.0, 90.0),
    of: Quality | None = None,
) -> FaceCrop:
    """A look at a head whose points are turned by `pose` [3, 3]; the crop is evenly of the colour, 0..254."""
    turned = points @ (np.eye(3) if pose is None else pose).T
    turned[:, :2] = turned[:, :2] * RADIUS + CENTRE
    whole = np.eye(4, dtype=np.float32)
    whole[:3, :3] = np.eye(3) if pose is None else pose
    shapes = {"eyeBlinkLeft": closure, "eyeBlinkRight": closure}
    landmarks = Landmarks(turned.astype(np.float32), shapes, whole)
    rgb = (np.asarray(colour, np.float32).clip(0, 254) + DITHER).astype(np.uint8)
    shot = crop(media_s, seen=of or quality())
    return replace(shot, rgb=rgb, landmarks=landmarks, to_crop=np.eye(2, 3, dtype=np.float32))
