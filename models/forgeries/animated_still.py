# SPDX-License-Identifier: Apache-2.0
"""Animated still: one picture of a face bent to move as the clip's face does: photo animation and reenactment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Forged, Pixels, blend
from models.forgeries.colour import draw_colour
from models.forgeries.detail import draw_detail
from models.forgeries.masks import MaskRecipe, draw_face_mask
from models.forgeries.motion import CHIN, LOWER_LIP, draw_expression, draw_shaking, holds_still
from models.forgeries.mouth_interior import MouthInterior, draw_interior, opens
from models.forgeries.regions import CONTROL, INNER_LIPS, RIGID, face_px
from models.forgeries.style import Style
from models.forgeries.warp import Matrix, fit_similarity, move, thin_plate, warp

__all__ = ["animated_still"]

BENT: Final = tuple(dict.fromkeys(CONTROL + LOWER_LIP + CHIN + INNER_LIPS[::3]))
DONOR_SHARE: Final = 0.25
FACE_SHARE: Final = 0.4
ANCHORED_SHARE: Final = 0.6
BORDER: Final = np.array([[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [0.5, 1], [0, 1], [0, 0.5]], np.float32)
"""Corners and middles of the picture's edges, as shares of its side."""

Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Animation:
    """A still, the landmarks it is bent to in every frame [T, 478, 2], and the real clip that it stands against."""

    still: Pixels
    points: Points
    path: Points
    original: Clip


def animated_still(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Bend a still to the motion; shown whole, its background held at the borders or swimming, or as a face only."""
    side = clip.side_px
    animation = _draw_animation(clip, donor, rng, style)
    mask = draw_face_mask(side, rng, style) if rng.random() < FACE_SHARE else None
    anchored = mask is not None or rng.random() < ANCHORED_SHARE
    detail, colour = draw_detail(rng, 0.45, 0.95, style), draw_colour(rng, 0.4 * style.colour)
    interior = draw_interior(rng)
    still = colour.apply(detail.apply(animation.still))
    bent = [_bend(still, animation.points, target, interior, anchored=anchored) for target in animation.path]
    forged = _shown(animation, bent, mask)
    return Forged(forged.rgb, forged.mask) if animation.original is clip else forged


def _draw_animation(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Animation:
    """Take the clip's own motion; a still, or another person's portrait, is shaken as a whole in both twins.

    A portrait stands against itself, so that it is not its camera that tells the twins apart.
    """
    if holds_still(clip.points):
        expression = draw_expression(rng, clip.frames, style.displacement)
        shaking = draw_shaking(rng, clip.points[0], clip.frames)
        first = clip.points[0]
        return _shaken(clip.rgb[0], first, shaking, [expression.apply(first, at) for at in range(clip.frames)])
    if donor.side_px == clip.side_px and rng.random() < DONOR_SHARE:
        return _driven(clip, donor)
    at = int(rng.integers(clip.frames))
    return Animation(clip.rgb[at], clip.points[at], clip.points, clip)


def _driven(clip: Clip, donor: Clip) -> Animation:
    """Give the donor's portrait the head's motion, and the expression's relative to the first frame."""
    rigid, first, portrait = list(RIGID), clip.points[0], donor.points[0]
    shaking = [fit_similarity(first[rigid], points[rigid]) for points in clip.points]
    size = face_px(portrait) / face_px(first)
    back = (fit_similarity(points[rigid], first[rigid]) for points in clip.points)
    shapes = [portrait + size * (move(points, to) - first) for points, to in zip(clip.points, back, strict=True)]
    return _shaken(donor.rgb[0], portrait, shaking, shapes)


def _shaken(still: Pixels, points: Points, shaking: Sequence[Matrix], shapes: Sequence[Points]) -> Animation:
    """Move the still as a whole, once as it is and once with the face in other `shapes`."""
    path = np.stack([move(shape, matrix) for shape, matrix in zip(shapes, shaking, strict=True)])
    real = Clip(
        np.stack([warp(still, matrix) for matrix in shaking]), np.stack([move(points, matrix) for matrix in shaking])
    )
    return Animation(still, points, path, real)


def _bend(still: Pixels, points: Points, target: Points, interior: MouthInterior, *, anchored: bool) -> Pixels:
    side = still.shape[0]
    chosen = list(BENT)
    corners = BORDER * (side - 1) if anchored else np.empty((0, 2), np.float32)
    bent = thin_plate(still, np.vstack([points[chosen], corners]), np.vstack([target[chosen], corners]))
    return interior.paint(bent, target) if opens(points, target) else bent


def _shown(animation: Animation, bent: Sequence[Pixels], mask: MaskRecipe | None) -> Forged:
    """Show the whole bent picture, or only its face over the real clip."""
    real = animation.original
    if mask is None:
        return Forged(np.stack(bent), np.ones(real.rgb.shape[:3], np.float32), real)
    masks = [mask.render(points, real.side_px) for points in animation.path]
    frames = [blend(rgb, above, weight) for rgb, above, weight in zip(real.rgb, bent, masks, strict=True)]
    return Forged(np.stack(frames), np.stack(masks), real)
