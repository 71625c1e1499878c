# SPDX-License-Identifier: Apache-2.0
"""Mouth-only blend: the lower face from another moment, or reshaped, with a generator's detail: lip-sync forgeries."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Forged, Pixels, blend
from models.forgeries.colour import draw_colour
from models.forgeries.detail import draw_detail
from models.forgeries.masks import draw_lower_mask
from models.forgeries.motion import CHIN, LOWER_LIP
from models.forgeries.regions import CONTROL, MOUTH, RIGID
from models.forgeries.style import Style
from models.forgeries.warp import fit_similarity, thin_plate, warp

__all__ = ["mouth_blend"]

SHAPING: Final = tuple(dict.fromkeys(CONTROL + LOWER_LIP + CHIN))


def mouth_blend(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Replace the lower face in every frame, with slightly other colour and less detail."""
    side = clip.side_px
    mask = draw_lower_mask(side, rng, style)
    detail = draw_detail(rng, 0.25, 0.8, style)
    colour = draw_colour(rng, 0.4 * style.colour)
    late = int(rng.integers(1, clip.frames)) if clip.frames > 1 else 0
    openings = 0.05 * style.displacement * side * rng.normal(0.3, 0.6, clip.frames)
    frames, masks = [], []
    for index, (rgb, points) in enumerate(zip(clip.rgb, clip.points, strict=True)):
        other = (index + late) % clip.frames
        source = clip.rgb[other], clip.points[other]
        moved = _retimed(*source, points) if late else _reshaped(rgb, points, float(openings[index]))
        weight = mask.render(points, side)
        frames.append(blend(rgb, colour.apply(detail.apply(moved)), weight))
        masks.append(weight)
    return Forged(np.stack(frames), np.stack(masks))


def _retimed(rgb: Pixels, source: NDArray[np.float32], target: NDArray[np.float32]) -> Pixels:
    """Bring another moment's picture into place by the points that talking hardly moves."""
    return warp(rgb, fit_similarity(source[list(RIGID)], target[list(RIGID)]))


def _reshaped(rgb: Pixels, points: NDArray[np.float32], opening_px: float) -> Pixels:
    """Open or close the mouth of a still by moving lower lip and chin along the face."""
    down = points[152] - points[10]
    down = down / max(float(np.linalg.norm(down)), 1e-6)
    target = points.copy()
    lower = list(LOWER_LIP + CHIN)
    target[lower] += down * opening_px
    corners = [MOUTH[0], MOUTH[10]]
    target[corners] += 0.25 * down * opening_px
    return thin_plate(rgb, points[list(SHAPING)], target[list(SHAPING)])
