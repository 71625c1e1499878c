# SPDX-License-Identifier: Apache-2.0
"""Footage and a seed in, a pair of twins out: a real clip, the same clip forged, and where the blending boundary is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.crops import Footage
from models.data.damage import draw_damage
from models.forgeries.clip import Clip, Pixels
from models.forgeries.detail import match_sharpness
from models.forgeries.harmless import harmless
from models.forgeries.mix import draw_kind, forge
from models.forgeries.regions import INNER
from models.forgeries.warp import Matrix, about, fit_similarity

__all__ = ["BOUNDARY_CELLS", "CROP_PX", "Pair", "boundary_map", "central_crop", "make_pair"]

CROP_PX: Final = 112
BOUNDARY_CELLS: Final = 14
DONORS_LOOKED_AT: Final = 12
STRIDES: Final = (1, 2, 2, 3)
"""Of the ten frames a second that are exported: 10, 5 (as at run time, twice as often) and 3.3 a second."""

HARMLESS_SHARE: Final = 0.15
MATCHED_SHARE: Final = 0.8
REPEAT_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """`real` and `fake` uint8 [T, 112, 112, 3]; `boundary` float32 [T, 14, 14] of the fake, 1 on a blending
    boundary; the real one's is 0 everywhere. `kind` names the forgery.
    """

    real: Pixels
    fake: Pixels
    boundary: NDArray[np.float32]
    kind: str


def central_crop(rgb: Pixels) -> Pixels:
    """Cut the run-time crop out of exported pictures uint8 [..., S, S, 3]."""
    border = (rgb.shape[-2] - CROP_PX) // 2
    return rgb[..., border : border + CROP_PX, border : border + CROP_PX, :]


def make_pair(target: Footage, donors: Sequence[Footage], frames: int, rng: np.random.Generator) -> Pair:
    """Draw a clip of `frames` from `target`, forge it with help of one of `donors`, damage both twins alike."""
    clip = _draw_clip(target, frames, rng)
    donor = _nearest(clip, _draw_donors(donors, target, rng))
    kind = draw_kind(rng)
    forged = forge(kind, clip, donor, rng)
    real, fake = clip.rgb, forged.rgb
    if rng.random() < MATCHED_SHARE:
        real, fake = _blurred(real, fake), _blurred(fake, real)
    if rng.random() < HARMLESS_SHARE:
        seed = int(rng.integers(2**31))
        real = harmless(Clip(real, clip.points), np.random.default_rng(seed))
        if rng.random() < 0.5:
            fake = harmless(Clip(fake, clip.points), np.random.default_rng(seed))
    damage = draw_damage(rng, grey=target.grey)
    views = _draw_views(clip, rng)
    flip = bool(rng.random() < 0.5)
    boundary = boundary_map(_view(forged.mask, views, flip=flip))
    return Pair(
        _view(damage.apply(real), views, flip=flip), _view(damage.apply(fake), views, flip=flip), boundary, kind
    )


def _draw_clip(target: Footage, frames: int, rng: np.random.Generator) -> Clip:
    """Draw frames at a random stride; a portrait is held still; now and then a frame repeats, as in a poor network."""
    stride = int(rng.choice(STRIDES))
    span = min(stride * (frames - 1), target.frames - 1)
    start = int(rng.integers(target.frames - span))
    chosen = np.minimum(start + stride * np.arange(frames), target.frames - 1)
    if frames > 2 and rng.random() < REPEAT_SHARE:
        at = int(rng.integers(1, frames))
        chosen[at] = chosen[at - 1]
    return target.clip(chosen)


def _draw_donors(donors: Sequence[Footage], target: Footage, rng: np.random.Generator) -> list[Clip]:
    """Draw faces of other people, grey ones for grey targets only."""
    fit = (donors[int(index)] for index in rng.integers(len(donors), size=DONORS_LOOKED_AT))
    chosen = [one for one in fit if one.identity != target.identity and one.grey == target.grey]
    clips = [one.clip([int(rng.integers(one.frames))]) for one in chosen]
    return clips or [target.clip([0])]


def _nearest(clip: Clip, donors: Sequence[Clip]) -> Clip:
    """Choose the donor whose face has the most similar shape and pose."""
    aim = clip.points[0][list(INNER)]

    def distance(donor: Clip) -> float:
        points = donor.points[0][list(INNER)]
        matrix = fit_similarity(points, aim)
        return float(np.square(points @ matrix[:, :2].T + matrix[:, 2] - aim).mean())

    return min(donors, key=distance)


def _blurred(clip: Pixels, like: Pixels) -> Pixels:
    """Blur a clip until it is on the whole as blurred as the other; return it as it is when it is so already."""
    blur_px = match_sharpness(central_crop(clip[0]), central_crop(like[0]))
    if blur_px <= 0:
        return clip
    return np.stack([np.asarray(cv2.GaussianBlur(rgb, (0, 0), blur_px), np.uint8) for rgb in clip])


def _draw_views(clip: Clip, rng: np.random.Generator) -> list[Matrix]:
    """Draw how the live tracker might have placed the crop: off by a little, trembling by less."""
    side = clip.side_px
    middle = np.full(2, side / 2, np.float32)
    turn, scale = float(rng.normal(0.0, 3.0)), float(np.exp(rng.uniform(-0.1, 0.1)))
    shift = rng.normal(0.0, 2.5, 2) - (side - CROP_PX) / 2
    tremble = rng.normal(0.0, float(rng.uniform(0.0, 0.5)), (clip.frames, 2))
    return [about(middle, turn, scale, (float(x), float(y))) for x, y in shift + tremble]


def _view(pictures: NDArray[Any], views: Sequence[Matrix], *, flip: bool) -> NDArray[Any]:
    """Cut pictures [T, S, S] or [T, S, S, 3] to the crop's side."""
    size = (CROP_PX, CROP_PX)
    cut = np.stack(
        [
            cv2.warpAffine(picture, view, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for picture, view in zip(pictures, views, strict=True)
        ]
    )
    return np.ascontiguousarray(cut[:, :, ::-1]) if flip else cut


def boundary_map(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where a blend is half-way: mask * (1 - mask) * 4 (Li et al., Face X-ray, CVPR 2020) at 14 x 14, [T, 14, 14].

    The mask's own opacity is divided out, so that a faint blend has no boundary all over it.
    """
    peak = np.maximum(mask.max(axis=(1, 2), keepdims=True), 1e-6)
    full = mask / peak
    edge = full * (1.0 - full) * 4.0
    size = (BOUNDARY_CELLS, BOUNDARY_CELLS)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in edge]).astype(np.float32)
