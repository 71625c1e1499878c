# SPDX-License-Identifier: Apache-2.0
"""A scripted face: head, gaze, light and hands as functions of time in, looks at it out."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from monitor.liveness.challenge.trial import Trial
from monitor.values import FaceBox, FaceCrop, FaceLook, Landmarks, Quality

__all__ = ["PER_S", "Person", "answered", "look", "pose"]

PER_S = 5.0
SIDE = 64
EYES = {"right eye": (20, 24), "left eye": (44, 24)}
RIGHT_EYE, LEFT_EYE = (33, 133, 159, 145), (263, 362, 386, 374)


def pose(yaw_deg: float, pitch_deg: float) -> np.ndarray:
    """A head pose, float32 [4, 4]: yaw to the person's own left, pitch up."""
    yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
    forward = (math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch))
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, 2] = forward
    return matrix


@dataclass
class Person:
    """What a face does; a plain one sits still in constant light. `light` is linear red, green, blue."""

    head: tuple[float, float] = (0.0, 0.0)
    gaze: tuple[float, float] = (0.0, 0.0)
    light: tuple[float, float, float] = (0.2, 0.2, 0.2)
    covered: frozenset[str] = field(default_factory=frozenset)


def _picture(person: Person, noise: np.random.Generator) -> np.ndarray:
    shade = np.ones((SIDE, SIDE))
    for name, (x, y) in EYES.items():
        shade[y - 3 : y + 3, x - 6 : x + 6] = 0.9 if name in person.covered else 0.3
        shade[y - 1 : y + 1, x - 2 : x + 2] = 0.9 if name in person.covered else 0.05
    if person.covered:
        for name in person.covered:
            x, y = EYES[name]
            shade[y - 8 : y + 8, x - 8 : x + 8] = 0.9 + 0.05 * np.sin(np.arange(16))[None, :]
    linear = np.clip(shade[..., None] * np.array(person.light), 0.0, 1.0) ** (1 / 2.2)
    return np.clip(linear * 255 + noise.normal(0, 1.0, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)


def look(media_s: float, person: Person | None, track: int = 1, *, more: int = 0, size_px: float = 120.0) -> FaceLook:
    """A look at one person, None when nobody is seen; `more` faces beside."""
    if person is None:
        return FaceLook(media_s)
    noise = np.random.default_rng(round(media_s * 1000))
    points = np.zeros((478, 3), np.float32)
    for eye, (x, y) in zip((RIGHT_EYE, LEFT_EYE), EYES.values(), strict=True):
        points[list(eye), :2] = (x, y)
    left, up = person.gaze
    shapes = {"eyeLookOutLeft": left, "eyeLookInLeft": 0.0, "eyeLookInRight": left, "eyeLookOutRight": 0.0}
    shapes |= {"eyeLookUpLeft": up, "eyeLookDownLeft": 0.0, "eyeLookUpRight": up, "eyeLookDownRight": 0.0}
    landmarks = Landmarks(points, shapes, pose(*person.head))
    quality = Quality(size_px, 30.0, 0.5, 0.0, 0.0, 1.0, 1.0)
    box = FaceBox(0.0, 0.0, 100.0, 100.0)
    eye = np.eye(2, 3, dtype=np.float32)
    rgb = _picture(person, noise)
    crops = [FaceCrop("c", "p", track + each, media_s, rgb, box, eye, quality, landmarks) for each in range(more + 1)]
    return FaceLook(media_s, tuple(crops))


def answered(
    trial: Trial, person: Callable[[float], Person | None], seconds: float = 40.0, start_s: float = 100.0
) -> Trial:
    """Let a person be looked at until the trial has a finding or the time is over; then it is ended."""
    for index in range(round(seconds * PER_S)):
        at_s = index / PER_S
        trial.look(look(start_s + at_s, person(at_s)))
        if trial.finding is not None:
            break
    trial.end()
    return trial
