# SPDX-License-Identifier: Apache-2.0
"""Flicker: a self-blended face whose mask trembles and now and then drops out, so that the original shows through.

Swaps lose the face for a few frames, and their landmarks tremble; ranges after the mask jitter of published video
recipes (scale 3 %, shift 1.5 % of the face, drop-outs of one to three frames).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Forged, blend
from models.forgeries.masks import draw_face_mask
from models.forgeries.motion import wander
from models.forgeries.regions import OVAL, face_px
from models.forgeries.self_blend import draw_change
from models.forgeries.style import Style

__all__ = ["draw_dropout", "flicker"]

SCALE: Final = 0.03
SHIFT: Final = 0.015
LONGEST_DROPOUT: Final = 3
DROPOUT_SHARE: Final = 0.7


def flicker(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Blend the face over itself under a mask that moves by itself and is missing in some frames."""
    side, frames = clip.side_px, clip.frames
    mask, change = draw_face_mask(side, rng, style), draw_change(side, rng, style)
    grow = np.exp(SCALE * style.displacement * wander(rng, frames, 0.5))
    shift = SHIFT * style.displacement * np.stack([wander(rng, frames, 0.5), wander(rng, frames, 0.5)], axis=1)
    dropped = draw_dropout(rng, frames)
    forged, masks = clip.rgb.copy(), np.zeros(clip.rgb.shape[:3], np.float32)
    for at in np.flatnonzero(~dropped):
        points = clip.points[at]
        middle = points[list(OVAL)].mean(axis=0)
        trembling = middle + grow[at] * (points - middle) + shift[at] * face_px(points)
        masks[at] = mask.render(trembling.astype(np.float32), side)
        forged[at] = blend(clip.rgb[at], change.apply(clip.rgb[at], points), masks[at])
    return Forged(forged, masks)


def draw_dropout(rng: np.random.Generator, frames: int) -> NDArray[np.bool_]:
    """Draw which of the frames show the original, bool [T]: at most a third of them in one run, never the first."""
    dropped = np.zeros(frames, np.bool_)
    longest = min(LONGEST_DROPOUT, frames // 3)
    if longest and rng.random() < DROPOUT_SHARE:
        length = int(rng.integers(1, longest + 1))
        start = int(rng.integers(1, frames - length + 1))
        dropped[start : start + length] = True
    return dropped
