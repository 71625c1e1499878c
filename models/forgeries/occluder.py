# SPDX-License-Identifier: Apache-2.0
"""Drawn things before a face: a hand, a cup, a lock of hair; their colours and their soft outline over a clip."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Pixels, blend
from models.forgeries.masks import smooth_field
from models.forgeries.motion import wander
from models.forgeries.regions import OVAL, face_px
from models.forgeries.warp import about

__all__ = ["Occluder", "draw_occluder"]

SHAPES: Final = ("hand", "cup", "hair")
TEMPLATE_PX: Final = 96
"""Side of the square that a shape is drawn in; it is stretched onto the face."""


@dataclass(frozen=True, slots=True, eq=False)
class Occluder:
    """`shape` float32 [96, 96] 0..1 and `texture` uint8 [96, 96, 3], laid on the face at `size` of its length, turned
    by `turn_deg`, its middle `place` float32 [T, 2] away from the face's middle, in face lengths.
    """

    shape: NDArray[np.float32]
    texture: Pixels
    size: float
    turn_deg: float
    place: NDArray[np.float32]

    def _laid(self, points: NDArray[np.float32], frame: int, side_px: int) -> tuple[NDArray[np.float32], Pixels]:
        """Lay it on one frame: opacity float32 [side, side] 0..1, and its picture uint8 [side, side, 3]."""
        length = face_px(points)
        middle = points[list(OVAL)].mean(axis=0) + self.place[frame] * length
        half = TEMPLATE_PX / 2
        to = (float(middle[0]) - half, float(middle[1]) - half)
        matrix = about(np.array([half, half], np.float32), self.turn_deg, self.size * length / TEMPLATE_PX, to)
        opacity = cv2.warpAffine(self.shape, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR)
        picture = cv2.warpAffine(
            self.texture, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(opacity, np.float32), np.asarray(picture, np.uint8)

    def before(self, rgb: Pixels, points: NDArray[np.float32], frame: int) -> tuple[Pixels, NDArray[np.float32]]:
        """Put it before the face: the covered picture, and the opacity float32 [S, S] of what covers it."""
        opacity, picture = self._laid(points, frame, rgb.shape[0])
        return blend(rgb, picture, opacity), opacity


def draw_occluder(clip: Clip, rng: np.random.Generator) -> Occluder:
    """Draw a thing that covers a part of the lower face or a cheek and moves a little by itself."""
    kind = str(rng.choice(SHAPES))
    shape = {"hand": _hand, "cup": _cup, "hair": _hair}[kind](rng)
    side = float(rng.choice((-1.0, 1.0)))
    middle = {"hand": (0.28 * side, 0.3), "cup": (0.1 * side, 0.42), "hair": (0.2 * side, -0.3)}[kind]
    drift = 0.04 * np.stack([wander(rng, clip.frames, 0.9), wander(rng, clip.frames, 0.9)], axis=1)
    place = np.array(middle) + rng.normal(0.0, 0.05, 2) + drift
    turn = {"hand": -35.0 * side, "cup": 0.0, "hair": 8.0 * side}[kind] + float(rng.normal(0.0, 12.0))
    return Occluder(
        shape=_soft(shape, rng),
        texture=_texture(_colour(kind, clip, rng), shape, rng),
        size=float(rng.uniform(0.6, 0.9)) * (1.35 if kind == "hair" else 1.0),
        turn_deg=turn,
        place=place.astype(np.float32),
    )


def _hand(rng: np.random.Generator) -> NDArray[np.float32]:
    """Fingers side by side on a palm that leaves the square below."""
    shape = np.zeros((TEMPLATE_PX, TEMPLATE_PX), np.float32)
    cv2.ellipse(shape, (48, 82), (25, 26), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    for x, top in zip((30, 42, 54, 66), (34, 22, 20, 30), strict=True):
        lean = int(rng.integers(-5, 6))
        cv2.line(shape, (x, 72), (x + lean, top + int(rng.integers(-4, 5))), 1.0, 10, cv2.LINE_AA)
    return shape


def _cup(rng: np.random.Generator) -> NDArray[np.float32]:
    """A mug with its handle, or a glass without."""
    shape = np.zeros((TEMPLATE_PX, TEMPLATE_PX), np.float32)
    half = int(rng.integers(19, 28))
    cv2.rectangle(shape, (48 - half, 24), (48 + half, 95), 1.0, -1)
    cv2.ellipse(shape, (48, 24), (half, 6), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    if rng.random() < 0.6:
        cv2.ellipse(shape, (48 + half, 55), (11, 16), 0, 0, 360, 1.0, 5, cv2.LINE_AA)
    return shape


def _hair(rng: np.random.Generator) -> NDArray[np.float32]:
    """Strands that hang down together."""
    shape = np.zeros((TEMPLATE_PX, TEMPLATE_PX), np.float32)
    lean = float(rng.normal(0.0, 8.0))
    for _ in range(int(rng.integers(14, 30))):
        start, bow = rng.normal(48, 6), rng.normal(lean, 4)
        line = np.linspace(0.0, 1.0, 12)
        top, end = rng.uniform(0, 14), rng.uniform(55, 95)
        strand = np.stack([start + bow * np.sin(2.2 * line), top + (end - top) * line], axis=1)
        cv2.polylines(shape, [np.rint(strand * 8).astype(np.int32)], isClosed=False, color=float(rng.uniform(0.6, 1.0)),
                      thickness=int(rng.integers(1, 4)), lineType=cv2.LINE_AA, shift=3)  # fmt: skip
    return shape


def _soft(shape: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    soft = cv2.GaussianBlur(shape, (0, 0), float(rng.uniform(0.6, 1.6)))
    return np.asarray(np.clip((soft - 0.02) / 0.96, 0.0, 1.0), np.float32)


def _colour(kind: str, clip: Clip, rng: np.random.Generator) -> NDArray[np.float64]:
    """Skin as on the cheek for a hand, what is above the forehead for hair, anything for a cup; red, green, blue."""
    if kind == "hand":
        return np.asarray(_about(clip, clip.points[0][205]) * rng.uniform(0.8, 1.1), np.float64)
    if kind == "hair":
        own = _about(clip, 1.12 * clip.points[0][10] - 0.12 * clip.points[0][152])
        return np.asarray(own * rng.uniform(0.6, 1.0), np.float64)
    return np.asarray(rng.uniform(20, 240, 3))


def _about(clip: Clip, at: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean colour round a point of the first picture."""
    x, y = np.clip(at, 0, clip.side_px - 1).astype(int)
    return np.asarray(clip.rgb[0, max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].reshape(-1, 3).mean(axis=0))


def _texture(colour: NDArray[np.float64], shape: NDArray[np.float32], rng: np.random.Generator) -> Pixels:
    """Shade by the distance to the outline, by a smooth field, and with fine grain."""
    depth = cv2.distanceTransform((shape > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    round_off = 0.75 + 0.25 * np.clip(depth / 8.0, 0.0, 1.0)
    light = cv2.resize(smooth_field(rng, 0.08)[:, :, 0], shape.shape, interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0.0, 4.0, shape.shape)
    grey = np.array(colour)[None, None] * (round_off * (1.0 + light))[:, :, None] + grain[:, :, None]
    return np.asarray(np.clip(np.rint(grey), 0, 255), np.uint8)
