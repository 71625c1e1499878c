# SPDX-License-Identifier: Apache-2.0
"""Low-resolution core: the face through a small picture and an enhancer, as swap networks of 64-128 px give it."""

import numpy as np

from models.forgeries.clip import Clip, Forged, blend
from models.forgeries.colour import draw_colour
from models.forgeries.detail import draw_detail
from models.forgeries.masks import draw_face_mask
from models.forgeries.regions import INNER
from models.forgeries.style import Style
from models.forgeries.warp import about, warp

__all__ = ["low_resolution"]


def low_resolution(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Replace the face by itself with detail lost and partly painted back, in slightly other colours."""
    side = clip.side_px
    mask = draw_face_mask(side, rng, style)
    detail = draw_detail(rng, 0.18, 0.6, style)
    colour = draw_colour(rng, 0.5 * style.colour)
    jitter_px = float(rng.uniform(0.0, 0.004)) * style.displacement * side
    frames, masks = [], []
    for rgb, points in zip(clip.rgb, clip.points, strict=True):
        shift = (float(rng.normal(0.0, jitter_px)), float(rng.normal(0.0, jitter_px)))
        placed = warp(rgb, about(points[list(INNER)].mean(axis=0), 0.0, 1.0, shift))
        weight = mask.render(points, side)
        frames.append(blend(rgb, colour.apply(detail.apply(placed)), weight))
        masks.append(weight)
    return Forged(np.stack(frames), np.stack(masks))
