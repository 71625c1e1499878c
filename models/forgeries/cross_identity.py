# SPDX-License-Identifier: Apache-2.0
"""Cross-identity blend: another person's face warped onto the landmarks, colour matched, blended: a classical swap."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Forged, Pixels, blend
from models.forgeries.colour import draw_colour, transfer
from models.forgeries.detail import draw_detail
from models.forgeries.masks import draw_face_mask
from models.forgeries.regions import CONTROL, INNER
from models.forgeries.style import Style
from models.forgeries.warp import fit_similarity, thin_plate, warp

__all__ = ["cross_identity"]

POISSON_SHARE: Final = 0.45
SHAPE_SHARE: Final = 0.8
"""Share of swaps that follow the target's expression; the rest only place the donor's face."""


def cross_identity(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Lay the donor's first picture over the face in every frame."""
    side = clip.side_px
    mask = draw_face_mask(side, rng, style)
    strength = float(rng.uniform(0.6, 1.0))
    colour = draw_colour(rng, 0.35 * style.colour)
    detail = draw_detail(rng, 0.4, 0.9, style) if rng.random() < 0.35 else None
    poisson, shaped = rng.random() < POISSON_SHARE, rng.random() < SHAPE_SHARE
    tremble_px = float(rng.uniform(0.0, 0.006)) * style.displacement * side
    face = colour.apply(donor.rgb[0])
    frames, masks = [], []
    for rgb, points in zip(clip.rgb, clip.points, strict=True):
        trembling = points + rng.normal(0.0, tremble_px, points.shape).astype(np.float32)
        placed = _place(face, donor.points[0], trembling, shaped=shaped)
        placed = detail.apply(placed) if detail else placed
        weight = mask.render(points, side)
        weight = weight / max(float(weight.max()), 1e-6) if poisson else weight
        frames.append(
            _clone(rgb, placed, weight) if poisson else blend(rgb, transfer(placed, rgb, weight, strength), weight)
        )
        masks.append(weight)
    return Forged(np.stack(frames), np.stack(masks))


def _place(face: Pixels, source: NDArray[np.float32], target: NDArray[np.float32], *, shaped: bool) -> Pixels:
    chosen = list(CONTROL if shaped else INNER)
    if shaped:
        return thin_plate(face, source[chosen], target[chosen])
    return warp(face, fit_similarity(source[chosen], target[chosen]))


def _clone(rgb: Pixels, placed: Pixels, weight: NDArray[np.float32]) -> Pixels:
    """Poisson-blend (Perez, Gangnet, Blake 2003) where the mask is more than half opaque."""
    region = (weight > 0.5).astype(np.uint8) * 255
    region[[0, 1, -2, -1], :] = 0
    region[:, [0, 1, -2, -1]] = 0
    left, top, width, height = cv2.boundingRect(region)
    if width < 8 or height < 8:
        return blend(rgb, placed, weight)
    # it widens the mask that it is given
    cloned = cv2.seamlessClone(placed, rgb, region.copy(), (left + width // 2, top + height // 2), cv2.NORMAL_CLONE)
    return np.where(region[:, :, None] > 0, cloned, rgb).astype(np.uint8)
