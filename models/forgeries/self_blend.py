# SPDX-License-Identifier: Apache-2.0
"""Self-blended faces: a slightly changed copy of the face blended over itself, the same way in every frame.

After Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images" (CVPR 2022), and its video form (one draw
for a clip: Nguyen et al., FakeSTormer, ICCV 2025); written from the published parameter ranges.
"""

import numpy as np

from models.forgeries.clip import Clip, Forged, blend
from models.forgeries.colour import draw_colour
from models.forgeries.detail import draw_detail, unsharp
from models.forgeries.masks import draw_face_mask
from models.forgeries.regions import INNER
from models.forgeries.style import Style
from models.forgeries.warp import about, warp

__all__ = ["self_blend"]


def self_blend(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Blend the face over itself with other colour, other detail and a small displacement."""
    side = clip.side_px
    mask = draw_face_mask(side, rng, style)
    colour = draw_colour(rng, style.colour)
    detail = draw_detail(rng, 0.3, 0.8, style) if rng.random() < 0.3 else None
    sharpen = float(rng.uniform(0.2, 0.9)) if rng.random() < 0.6 * style.enhanced else 0.0
    far = style.displacement
    turn, scale = float(rng.normal(0.0, 0.6)) * far, float(np.exp(rng.uniform(-0.05, 0.05) * far))
    shift = (float(rng.uniform(-0.03, 0.03)) * far * side, float(rng.uniform(-0.015, 0.015)) * far * side)
    frames, masks = [], []
    for rgb, points in zip(clip.rgb, clip.points, strict=True):
        changed = warp(rgb, about(points[list(INNER)].mean(axis=0), turn, scale, shift))
        changed = unsharp(colour.apply(changed), sharpen)
        changed = detail.apply(changed) if detail else changed
        weight = mask.render(points, side)
        frames.append(blend(rgb, changed, weight))
        masks.append(weight)
    return Forged(np.stack(frames), np.stack(masks))
