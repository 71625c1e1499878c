# SPDX-License-Identifier: Apache-2.0
"""Soft blending masks: drawn once for a clip, replayed on each frame's landmarks."""

from dataclasses import dataclass
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.regions import BELOW_BROWS, INNER, LOWER_FACE, OVAL, hull_mask
from models.forgeries.style import PLAIN, Style

__all__ = ["MaskRecipe", "bend", "draw_face_mask", "draw_lower_mask", "smooth_field"]

Level = TypeVar("Level", np.uint8, np.float32)

FIELD_CELLS: Final = 6
REFERENCE_PX: Final = 168.0
OPACITIES: Final = (0.5, 0.75)
"""Opacities of a transparent blend, as published for self-blended images (Shiohara, Yamasaki, CVPR 2022) but for .25:
behind a call's codec nothing of so faint a blend is left to learn from."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskRecipe:
    """How to draw a soft mask: which landmarks, how far from their middle, how bent, how soft, how opaque.

    `field` float32 [cells, cells, 2] displacements in pixels, `softness_px` the blur's standard deviation.
    """

    indices: tuple[int, ...]
    grow: float
    field: NDArray[np.float32]
    softness_px: float
    opacity: float

    def render(self, points: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
        """Draw the mask for one frame's landmarks, float32 [side, side] in 0..opacity, exactly 0 far outside."""
        chosen = points[list(self.indices)]
        middle = chosen.mean(axis=0)
        mask = hull_mask(middle + self.grow * (chosen - middle), side_px)
        mask = bend(mask, self.field)
        soft = cv2.GaussianBlur(mask, (0, 0), self.softness_px)
        inside = np.clip((soft - 0.02) / 0.96, 0.0, 1.0)
        return np.asarray(inside * self.opacity, np.float32)


def smooth_field(rng: np.random.Generator, amplitude_px: float) -> NDArray[np.float32]:
    """Draw a coarse random displacement field, float32 [cells, cells, 2]; it becomes smooth when stretched."""
    return rng.normal(0.0, amplitude_px, (FIELD_CELLS, FIELD_CELLS, 2)).astype(np.float32)


def bend(picture: NDArray[Level], field: NDArray[np.float32]) -> NDArray[Level]:
    """Displace a picture [S, S] or [S, S, C] smoothly by `field` stretched over it; its type stays."""
    side = picture.shape[0]
    shift = cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)
    grid = np.arange(side, dtype=np.float32)
    map_x, map_y = shift[:, :, 0] + grid[None, :], shift[:, :, 1] + grid[:, None]
    bent = cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(bent, picture.dtype)


def _draw(
    indices: tuple[int, ...], grow: tuple[float, float], side_px: int, rng: np.random.Generator, style: Style
) -> MaskRecipe:
    scale = side_px / REFERENCE_PX
    return MaskRecipe(
        indices=indices,
        grow=float(rng.uniform(*grow)),
        field=smooth_field(rng, float(rng.uniform(0.0, 5.0)) * style.bending * scale),
        softness_px=float(np.exp(rng.uniform(np.log(0.8), np.log(8.0)))) * style.softness * scale,
        opacity=float(rng.choice(OPACITIES)) if rng.random() < style.transparent else 1.0,
    )


def draw_face_mask(side_px: int, rng: np.random.Generator, style: Style = PLAIN) -> MaskRecipe:
    """Draw a mask over the whole face, the inner face, or a random part of its outline."""
    shape = rng.random()
    if shape < 0.35:
        return _draw(OVAL, (0.82, 1.02), side_px, rng, style)
    if shape < 0.6:
        return _draw(BELOW_BROWS, (0.88, 1.04), side_px, rng, style)
    if shape < 0.82:
        return _draw(INNER, (0.95, 1.25), side_px, rng, style)
    kept = rng.choice(len(OVAL), size=int(rng.integers(10, 20)), replace=False)
    return _draw(tuple(OVAL[index] for index in sorted(kept)), (0.85, 1.0), side_px, rng, style)


def draw_lower_mask(side_px: int, rng: np.random.Generator, style: Style = PLAIN) -> MaskRecipe:
    """Draw a mask from under the nose to the chin."""
    recipe = _draw(LOWER_FACE, (0.85, 1.1), side_px, rng, style)
    return MaskRecipe(recipe.indices, recipe.grow, recipe.field, recipe.softness_px, max(recipe.opacity, 0.75))
