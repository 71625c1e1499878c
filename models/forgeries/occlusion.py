# SPDX-License-Identifier: Apache-2.0
"""Occlusion painted over: a hand, cup or hair before the face in both twins; the forgery draws skin over part of it."""

import numpy as np

from models.forgeries.clip import Clip, Forged, blend
from models.forgeries.masks import draw_face_mask
from models.forgeries.occluder import draw_occluder
from models.forgeries.self_blend import draw_change
from models.forgeries.style import Style

__all__ = ["occlusion"]


def occlusion(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Blend the changed, uncovered face over the covered one; `original` is the clip with the thing before the face.

    `kept` 0..1 is how much of the thing the forger's segmentation leaves standing.
    """
    side = clip.side_px
    mask, change = draw_face_mask(side, rng, style), draw_change(side, rng, style)
    occluder = draw_occluder(clip, rng)
    kept = float(rng.uniform(0.0, 0.6))
    reals, fakes, masks = [], [], []
    for at, (rgb, points) in enumerate(zip(clip.rgb, clip.points, strict=True)):
        covered, opacity = occluder.before(rgb, points, at)
        weight = mask.render(points, side) * (1.0 - kept * opacity)
        reals.append(covered)
        fakes.append(blend(covered, change.apply(rgb, points), weight))
        masks.append(weight)
    return Forged(np.stack(fakes), np.stack(masks), Clip(np.stack(reals), clip.points))
