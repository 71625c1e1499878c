# SPDX-License-Identifier: Apache-2.0
"""Self-blended faces: a slightly changed copy of the face blended over itself, the same way in every frame.

After Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images" (CVPR 2022), and its video form (one draw
for a clip: Nguyen et al., FakeSTormer, ICCV 2025); written from the published parameter ranges.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Forged, Pixels, blend
from models.forgeries.colour import ColourShift, draw_colour
from models.forgeries.detail import DetailLoss, draw_detail, unsharp
from models.forgeries.masks import draw_face_mask
from models.forgeries.regions import INNER
from models.forgeries.style import Style
from models.forgeries.warp import about, warp

__all__ = ["Change", "draw_change", "self_blend"]


@dataclass(frozen=True, slots=True)
class Change:
    """What makes the copy differ: a turn, a scale, a shift in pixels, colour, sharpening, and perhaps lost detail."""

    turn_deg: float
    scale: float
    shift_px: tuple[float, float]
    colour: ColourShift
    sharpen: float
    detail: DetailLoss | None

    def apply(self, rgb: Pixels, points: NDArray[np.float32]) -> Pixels:
        """Change one picture about the middle of its face."""
        moved = warp(rgb, about(points[list(INNER)].mean(axis=0), self.turn_deg, self.scale, self.shift_px))
        changed = unsharp(self.colour.apply(moved), self.sharpen)
        return self.detail.apply(changed) if self.detail else changed


def draw_change(side_px: int, rng: np.random.Generator, style: Style) -> Change:
    """Draw a change for all frames of a clip."""
    far = style.displacement
    return Change(
        turn_deg=float(rng.normal(0.0, 0.6)) * far,
        scale=float(np.exp(rng.uniform(-0.05, 0.05) * far)),
        shift_px=(float(rng.uniform(-0.03, 0.03)) * far * side_px, float(rng.uniform(-0.015, 0.015)) * far * side_px),
        colour=draw_colour(rng, style.colour),
        sharpen=float(rng.uniform(0.2, 0.9)) if rng.random() < 0.6 * style.enhanced else 0.0,
        detail=draw_detail(rng, 0.3, 0.8, style) if rng.random() < 0.3 else None,
    )


def self_blend(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Blend the face over itself with other colour, other detail and a small displacement."""
    side = clip.side_px
    mask, change = draw_face_mask(side, rng, style), draw_change(side, rng, style)
    masks = [mask.render(points, side) for points in clip.points]
    frames = [
        blend(rgb, change.apply(rgb, points), weight)
        for rgb, points, weight in zip(clip.rgb, clip.points, masks, strict=True)
    ]
    return Forged(np.stack(frames), np.stack(masks))
