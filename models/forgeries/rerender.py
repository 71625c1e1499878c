# SPDX-License-Identifier: Apache-2.0
"""Learned re-rendering: the face, its mouth or the whole picture painted anew by a small generator of our own.

Blends leave a boundary; a picture that was painted whole leaves none, but the traces of its generator: periodic
up-sampling, smoothed texture, shifted colour (Wang et al., CVPR 2020; Frank et al., ICML 2020). The generators are
those of `models.generators`, learnt from the same real faces as the detector.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Clip, Forged, Pixels, blend
from models.forgeries.colour import transfer
from models.forgeries.detail import unsharp
from models.forgeries.masks import MaskRecipe, draw_face_mask, draw_lower_mask
from models.forgeries.style import PLAIN, Style
from models.forgeries.warp import Matrix
from models.generators.align import align, move, square
from models.generators.painting import Manner, draw_manner, paint
from models.generators.store import Generator, load_all

__all__ = ["rerender"]

TASK_SHARES: Final = {"copy": 0.5, "swap": 0.15, "reenact": 0.2, "mouth": 0.15}
LATE_SHARE: Final = 0.7
WHOLE_SHARE: Final = 0.7
"""Share of the copying generators' pictures that are shown as they are, with the background, nothing blended."""

BOX_SHARE: Final = 0.25
"""Share of painted faces whose whole square is pasted back, as simple tools do."""

TRANSFER_SHARE: Final = 0.5
MORE_ENHANCED: Final = 0.3
"""Added to the style's share of sharpened forgeries: without, paintings are about half as sharp as their originals,
and blur would be what is learnt."""

MULTIPLE_PX: Final = 16
LEAST_PX: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Finish:
    """What is done to a painted picture: sharpened, then brought `recolour` of the way to the original's colours."""

    sharpen: float
    recolour: float

    def apply(self, painted: Pixels, rgb: Pixels, mask: NDArray[np.float32]) -> NDArray[np.float32]:
        sharp = unsharp(painted, self.sharpen)
        return transfer(sharp, rgb, mask, self.recolour) if self.recolour else sharp.astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Lay:
    """How a painted square goes back: `mask` over the face (none: the whole square), `edge` float32 [S, S] of it."""

    mask: MaskRecipe | None
    edge: NDArray[np.float32]
    finish: _Finish


def rerender(clip: Clip, donor: Clip, rng: np.random.Generator, style: Style = PLAIN) -> Forged:
    """Paint every frame with one drawn generator in one drawn manner, then show or blend it.

    Raises `WeightsError` when the generators' weights are missing or damaged.
    """
    generator = _draw_generator(load_all(), rng)
    manner = draw_manner(generator, clip.frames, rng)
    scale = float(rng.uniform(0.8, 1.0)) ** style.detail
    if generator.variant.task == "copy" and rng.random() < WHOLE_SHARE:
        return _shown_whole(clip, generator, manner, scale, _draw_finish(rng, style))
    zoom = float(rng.uniform(0.75, 1.2)) if generator.variant.task == "copy" else 1.0
    inner = _inner_px(clip, generator, scale * zoom)
    matrices = [align(points, inner, zoom) for points in clip.points]
    painted = _painted(clip, generator, manner, matrices, inner)
    return _laid(clip, painted, matrices, _draw_lay(clip.side_px, generator, inner, rng, style))


def _draw_generator(generators: Sequence[Generator], rng: np.random.Generator) -> Generator:
    task = str(rng.choice(list(TASK_SHARES), p=list(TASK_SHARES.values())))
    stage = "late" if rng.random() < LATE_SHARE else "early"
    able = [one for one in generators if one.variant.task == task]
    chosen = [one for one in able if one.stage == stage] or able
    return chosen[int(rng.integers(len(chosen)))]


def _shown_whole(clip: Clip, generator: Generator, manner: Manner, scale: float, finish: _Finish) -> Forged:
    """Replace the whole picture: the mask is 1 everywhere, and no boundary is left to be found."""
    side = clip.side_px
    inner = _multiple_px(side * scale)
    small = np.stack([np.asarray(cv2.resize(rgb, (inner, inner), interpolation=cv2.INTER_AREA)) for rgb in clip.rgb])
    painted = paint(generator, small, clip.points * np.float32(inner / side), manner)
    full = [np.asarray(cv2.resize(one, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8) for one in painted]
    masks = np.ones(clip.rgb.shape[:3], np.float32)
    shown = [finish.apply(one, rgb, mask) for one, rgb, mask in zip(full, clip.rgb, masks, strict=True)]
    return Forged(np.clip(np.rint(np.stack(shown)), 0, 255).astype(np.uint8), masks)


def _painted(clip: Clip, generator: Generator, manner: Manner, matrices: Sequence[Matrix], inner: int) -> Pixels:
    """Cut the squares out and paint them."""
    squares = np.stack([square(rgb, matrix, inner) for rgb, matrix in zip(clip.rgb, matrices, strict=True)])
    points = np.stack([move(one, matrix) for one, matrix in zip(clip.points, matrices, strict=True)])
    return paint(generator, squares, points, manner)


def _laid(clip: Clip, painted: Pixels, matrices: Sequence[Matrix], lay: _Lay) -> Forged:
    """Bring painted squares back into the frames, through the mask."""
    size = (clip.side_px, clip.side_px)
    frames, masks = [], []
    for rgb, points, one, matrix in zip(clip.rgb, clip.points, painted, matrices, strict=True):
        back = cv2.invertAffineTransform(matrix)
        bent = cv2.warpAffine(one, back, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        weight = np.asarray(cv2.warpAffine(lay.edge, back, size, flags=cv2.INTER_LINEAR), np.float32)
        weight = weight * lay.mask.render(points, clip.side_px) if lay.mask else weight
        frames.append(blend(rgb, lay.finish.apply(np.asarray(bent, np.uint8), rgb, weight), weight))
        masks.append(weight)
    return Forged(np.stack(frames), np.stack(masks))


def _draw_lay(side: int, generator: Generator, inner: int, rng: np.random.Generator, style: Style) -> _Lay:
    boxed = rng.random() < BOX_SHARE
    draw_mask = draw_lower_mask if generator.variant.task == "mouth" else draw_face_mask
    edge = _soft_edge(inner, float(rng.uniform(0.01, 0.05)), float(rng.uniform(0.4, 3.0)) * style.softness)
    return _Lay(None if boxed else draw_mask(side, rng, style), edge, _draw_finish(rng, style))


def _draw_finish(rng: np.random.Generator, style: Style) -> _Finish:
    recolour = float(rng.uniform(0.3, 1.0)) if rng.random() < TRANSFER_SHARE else 0.0
    sharpen = float(rng.uniform(0.4, 2.2)) if rng.random() < style.enhanced + MORE_ENHANCED else 0.0
    return _Finish(sharpen, recolour)


def _soft_edge(inner: int, inset: float, softness_px: float) -> NDArray[np.float32]:
    """Mark the inside of the square, float32 [S, S]; its outermost pixels are exactly 0."""
    border = max(1, round(inset * inner))
    inside = np.zeros((inner, inner), np.float32)
    inside[border:-border, border:-border] = 1.0
    soft = np.clip((cv2.GaussianBlur(inside, (0, 0), softness_px) - 0.5) * 2.0, 0.0, 1.0)
    return np.asarray(soft * (inside > 0), np.float32)


def _inner_px(clip: Clip, generator: Generator, scale: float) -> int:
    """Side at which the square is painted: as large as in the picture, or that for which the generator is made."""
    if generator.variant.task != "copy":
        return generator.variant.side_px
    unit = align(clip.points[0], 1)
    return _multiple_px(scale / float(np.hypot(unit[0, 0], unit[1, 0])))


def _multiple_px(side: float) -> int:
    return max(LEAST_PX, round(side / MULTIPLE_PX) * MULTIPLE_PX)
