# SPDX-License-Identifier: Apache-2.0
"""Virtual background: everything but the person blurred or replaced, with a halo and a rim that breathes.

The person's outline is drawn round the landmarks (head, neck and shoulders), as roughly as call clients cut it.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Pixels, blend
from models.forgeries.masks import bend, smooth_field
from models.forgeries.motion import wander
from models.forgeries.regions import OVAL, face_px

__all__ = ["person_outline", "virtual_background"]

BLURRED_SHARE: Final = 0.5
HEAD: Final = (0.56, 0.82)
"""Half axes of the head with its hair, as shares of the face's longer side."""


def virtual_background(clip: Clip, rng: np.random.Generator) -> Pixels:
    """Blur or replace what is round the person."""
    side = clip.side_px
    blur_px = float(rng.uniform(4, 12)) * side / 168 if rng.random() < BLURRED_SHARE else 0.0
    drawn = _drawn_room(side, rng)
    size = float(rng.uniform(1.0, 1.2)) * np.exp(0.012 * wander(rng, clip.frames, 0.6))
    field, softness_px = smooth_field(rng, 0.018 * side), float(rng.uniform(0.8, 3.0)) * side / 168
    treated = []
    for rgb, points, grown in zip(clip.rgb, clip.points, size, strict=True):
        person = bend(person_outline(points, float(grown), side), field)
        outside = 1.0 - np.asarray(cv2.GaussianBlur(person, (0, 0), softness_px), np.float32)
        outside[outside < 0.02] = 0.0
        room = np.asarray(cv2.GaussianBlur(rgb, (0, 0), blur_px), np.uint8) if blur_px else drawn
        treated.append(blend(rgb, room, outside))
    return np.stack(treated)


def person_outline(points: NDArray[np.float32], grown: float, side_px: int) -> NDArray[np.float32]:
    """Fill head, neck and shoulders: 1 inside, float32 [side, side]."""
    size, middle = face_px(points), points[list(OVAL)].mean(axis=0)
    down = points[152] - points[10]
    tilt = float(np.degrees(np.arctan2(down[1], down[0])) - 90.0)
    person = np.zeros((side_px, side_px), np.float32)
    top = middle - 0.16 * down
    axes = round(HEAD[0] * size * grown), round(HEAD[1] * size * grown)
    cv2.ellipse(person, (round(float(top[0])), round(float(top[1]))), axes, tilt, 0, 360, 1.0, -1)
    neck = middle + 1.35 * down
    cv2.ellipse(person, (round(float(neck[0])), round(float(neck[1]))),
                (round(1.15 * size * grown), round(0.75 * size * grown)), tilt, 0, 360, 1.0, -1)  # fmt: skip
    chin = middle + 0.7 * down
    cv2.line(person, tuple(np.rint(middle).astype(int).tolist()), tuple(np.rint(chin).astype(int).tolist()), 1.0,
             max(1, round(0.55 * size)))  # fmt: skip
    return person


def _drawn_room(side_px: int, rng: np.random.Generator) -> Pixels:
    """A plain or softly coloured wall, with or without coarse shapes."""
    colours = rng.uniform(20, 235, (4, 4, 3)) * float(rng.uniform(0.0, 0.6)) + rng.uniform(20, 150, 3)
    wall = cv2.resize(colours.astype(np.float32), (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(wall, 0, 255), np.uint8)
