# SPDX-License-Identifier: Apache-2.0
"""Footage and a seed in, a pair of twins out: a real clip, the same clip forged, and where the blending boundary is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.camera import another_camera
from models.data.crops import Footage
from models.data.damage import draw_damage
from models.data.making import Making
from models.data.network import draw_times
from models.forgeries.clip import Clip, Pixels
from models.forgeries.detail import match_sharpness
from models.forgeries.harmless import harmless
from models.forgeries.mix import forge
from models.forgeries.regions import INNER
from models.forgeries.warp import Matrix, about, fit_similarity

__all__ = [
    "Pair",
    "blurred",
    "boundary_map",
    "central_crop",
    "crop_px_of",
    "draw_clip",
    "draw_views",
    "longer_px",
    "make_pair",
    "view",
]

DONORS_LOOKED_AT: Final = 12
CELL_PX: Final = 8
REFERENCE_PX: Final = 168.0
"""Side of exported pictures for which the pixel ranges here are given."""

SHORTER_SHARE: Final = 0.9
EXPORTED_FPS: Final = 10.0
"""Frames a second that the export writes unless told otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """`real` and `fake` uint8 [T, S, S, 3]; `boundary` float32 [T, S/8, S/8] of the fake, 1 on a blending boundary;
    the real one's is 0 everywhere. `kind` names the forgery; `quality` float32 [4] 0..1 says what both went through.
    """

    real: Pixels
    fake: Pixels
    boundary: NDArray[np.float32]
    kind: str
    quality: NDArray[np.float32]


def crop_px_of(side_px: int) -> int:
    """Side of the run-time crop in an exported picture: a quarter of it lies around on each side."""
    return side_px * 2 // 3


def central_crop(rgb: Pixels) -> Pixels:
    """Cut the run-time crop out of exported pictures uint8 [..., S, S, 3]."""
    crop_px = crop_px_of(rgb.shape[-2])
    border = (rgb.shape[-2] - crop_px) // 2
    return rgb[..., border : border + crop_px, border : border + crop_px, :]


def make_pair(
    target: Footage, donors: Sequence[Footage], frames: int, rng: np.random.Generator, making: Making
) -> Pair:
    """Draw a clip of `frames` from `target`, forge it with help of one of `donors`, damage both twins alike."""
    clip = another_camera(draw_clip(target, frames, rng), rng, making.camera_share)
    donor = another_camera(_nearest(clip, _draw_donors(donors, target, rng)), rng, making.camera_share)
    kind, style = making.draw_kind(rng)
    forged = forge(kind, clip, donor, rng, style)
    real, fake = forged.twin(clip), forged.rgb
    if rng.random() < making.matched_share:
        real, fake = blurred(real, fake), blurred(fake, real)
    if rng.random() < making.harmless_share:
        seed = int(rng.integers(2**31))
        points = forged.points(clip)
        real = harmless(Clip(real, points), np.random.default_rng(seed))
        if rng.random() < 0.5:
            fake = harmless(Clip(fake, points), np.random.default_rng(seed))
    damage = draw_damage(rng, grey=target.grey, face_px=longer_px(target), codec=making.codec)
    views = draw_views(clip, rng)
    flip = bool(rng.random() < 0.5)
    boundary = boundary_map(view(forged.mask, views, flip=flip))
    return Pair(
        view(damage.apply(real), views, flip=flip),
        view(damage.apply(fake), views, flip=flip),
        boundary,
        kind,
        damage.quality,
    )


def longer_px(footage: Footage) -> float:
    """Longer side of the face in the original picture: `face_px` is the shorter, about nine tenths of it."""
    return float(np.median(footage.face_px)) / SHORTER_SHARE


def draw_clip(target: Footage, frames: int, rng: np.random.Generator) -> Clip:
    """Draw frames as a receiver might look at them; a portrait is held still."""
    return target.clip(draw_times(rng, frames, target.frames, EXPORTED_FPS))


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


def blurred(clip: Pixels, like: Pixels) -> Pixels:
    """Blur a clip until it is on the whole as blurred as the other; return it as it is when it is so already."""
    blur_px = match_sharpness(central_crop(clip[0]), central_crop(like[0]))
    if blur_px <= 0:
        return clip
    return np.stack([np.asarray(cv2.GaussianBlur(rgb, (0, 0), blur_px), np.uint8) for rgb in clip])


def draw_views(clip: Clip, rng: np.random.Generator) -> list[Matrix]:
    """Draw how the live tracker might have placed the crop: off by a little, trembling by less."""
    side = clip.side_px
    middle = np.full(2, side / 2, np.float32)
    turn, scale = float(rng.normal(0.0, 3.0)), float(np.exp(rng.uniform(-0.1, 0.1)))
    pixel = side / REFERENCE_PX
    shift = rng.normal(0.0, 2.5 * pixel, 2) - (side - crop_px_of(side)) / 2
    tremble = rng.normal(0.0, float(rng.uniform(0.0, 0.5)) * pixel, (clip.frames, 2))
    return [about(middle, turn, scale, (float(x), float(y))) for x, y in shift + tremble]


def view(pictures: NDArray[Any], views: Sequence[Matrix], *, flip: bool) -> NDArray[Any]:
    """Cut pictures [T, S, S] or [T, S, S, 3] to the crop's side."""
    size = (crop_px_of(pictures.shape[1]),) * 2
    cut = np.stack(
        [
            cv2.warpAffine(picture, view, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for picture, view in zip(pictures, views, strict=True)
        ]
    )
    return np.ascontiguousarray(cut[:, :, ::-1]) if flip else cut


def boundary_map(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where a blend is half-way: mask * (1 - mask) * 4 (Li et al., Face X-ray, CVPR 2020), [T, S/8, S/8].

    The mask's own opacity is divided out, so that a faint blend has no boundary all over it.
    """
    peak = np.maximum(mask.max(axis=(1, 2), keepdims=True), 1e-6)
    full = mask / peak
    edge = full * (1.0 - full) * 4.0
    size = (mask.shape[1] // CELL_PX,) * 2
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in edge]).astype(np.float32)
