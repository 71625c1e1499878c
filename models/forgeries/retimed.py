# SPDX-License-Identifier: Apache-2.0
"""Re-timed or damped mouth and blinks: plausible pixels, but one region of the face moves out of step with the rest.

After the broken motion bases of kinematics-driven pseudo-forgeries (KiMoI), here on landmarks alone: the region's
shape is taken from other frames, in the head's own coordinates, and a thin plate carries the pixels there.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Forged, blend
from models.forgeries.colour import draw_colour
from models.forgeries.detail import draw_detail
from models.forgeries.motion import CHIN, LOWER_LIDS, LOWER_LIP, UPPER_LIDS, draw_expression
from models.forgeries.mouth_interior import draw_interior, opens
from models.forgeries.regions import CONTROL, INNER_LIPS, LEFT_EYE, MOUTH, RIGHT_EYE, RIGID, face_px, hull_mask
from models.forgeries.style import Style
from models.forgeries.warp import fit_similarity, move, thin_plate

__all__ = ["retimed"]

TALKING: Final = tuple(dict.fromkeys(MOUTH + INNER_LIPS + LOWER_LIP + CHIN))
BLINKING: Final = tuple(dict.fromkeys(LEFT_EYE + RIGHT_EYE + UPPER_LIDS + LOWER_LIDS))
REGIONS: Final = {"mouth": (TALKING,), "eyes": (LEFT_EYE, RIGHT_EYE), "both": (TALKING, LEFT_EYE, RIGHT_EYE)}
HELD: Final = tuple(index for index in CONTROL if index not in set(TALKING + BLINKING))
LONGEST_DELAY: Final = 6
LEAST_MOTION: Final = 0.015
"""A region that would move less than this share of the face anywhere gets a drawn expression instead."""

GROW: Final = 1.35

Points = NDArray[np.float32]


def retimed(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style) -> Forged:
    """Give mouth, eyes or both the shapes of other frames, or less or more motion than they had."""
    side = clip.side_px
    regions = REGIONS[str(rng.choice(list(REGIONS), p=(0.5, 0.2, 0.3)))]
    moving = list(dict.fromkeys(index for region in regions for index in region))
    shapes = _shapes(clip, moving, rng, style)
    detail = draw_detail(rng, 0.6, 1.0, style) if rng.random() < 0.5 else None
    colour, interior = draw_colour(rng, 0.15 * style.colour), draw_interior(rng)
    softness_px = float(rng.uniform(0.02, 0.04)) * style.softness * face_px(clip.points[0])
    control = moving[::2] + list(HELD)
    frames, masks = [], []
    for rgb, points, shape in zip(clip.rgb, clip.points, shapes, strict=True):
        bent = thin_plate(rgb, points[control], shape[control])
        bent = interior.paint(bent, shape) if opens(points, shape) else bent
        bent = colour.apply(detail.apply(bent) if detail else bent)
        weight = _mask([np.vstack([points[list(one)], shape[list(one)]]) for one in regions], softness_px, side)
        frames.append(blend(rgb, bent, weight))
        masks.append(weight)
    return Forged(np.stack(frames), np.stack(masks))


def _shapes(clip: Clip, moving: list[int], rng: np.random.Generator, style: Style) -> Points:
    """Landmarks [T, 478, 2] whose `moving` part is out of step."""
    rigid, frames = list(RIGID), clip.frames
    first = clip.points[0]
    local = np.stack([move(points, fit_similarity(points[rigid], first[rigid])) for points in clip.points])
    delayed = local[(np.arange(frames) + _delay(rng, frames)) % frames]
    gain = float(rng.choice((rng.uniform(0.0, 0.5), rng.uniform(1.6, 2.2))))
    damped = local.mean(axis=0) + gain * (local - local.mean(axis=0))
    changed = delayed if rng.random() < 0.6 else damped
    if np.abs(changed[:, moving] - local[:, moving]).max() < LEAST_MOTION * face_px(first):
        expression = draw_expression(rng, frames, style.displacement)
        changed = np.stack([expression.apply(points, at) for at, points in enumerate(local)])
    shapes = clip.points.copy()
    for at, points in enumerate(clip.points):
        shapes[at, moving] = move(changed[at, moving], fit_similarity(first[rigid], points[rigid]))
    return shapes


def _delay(rng: np.random.Generator, frames: int) -> int:
    """Two to six frames, and fewer than the clip has."""
    longest = min(LONGEST_DELAY, frames - 1)
    return int(rng.integers(min(2, longest), longest + 1))


def _mask(regions: list[Points], softness_px: float, side_px: int) -> NDArray[np.float32]:
    total = np.zeros((side_px, side_px), np.float32)
    for region in regions:
        middle = region.mean(axis=0)
        total = np.maximum(total, hull_mask(middle + GROW * (region - middle), side_px))
    soft = cv2.GaussianBlur(total, (0, 0), softness_px)
    return np.asarray(np.clip((soft - 0.02) / 0.96, 0.0, 1.0), np.float32)
