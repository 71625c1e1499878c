# SPDX-License-Identifier: Apache-2.0
"""Landmarks of one face over time in, a steady upright square crop out."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.faces.boxes import MESH_POINTS
from monitor.faces.picture import Region, rgb
from monitor.values import Picture

__all__ = ["MARGIN", "Placement", "Steady", "place", "render", "scaled", "steady", "to_crop"]

MARGIN = 1.3
"""Side of the crop over the longer side of the face box."""

LEFT_EYE = (33, 133, 159, 145)
RIGHT_EYE = (263, 362, 386, 374)
"""Corners and lid middles of the eye on the left and on the right of an unmirrored picture."""

CUTOFF_HZ = 0.5
SPEED_GAIN = 3.0
SPEED_CUTOFF_HZ = 1.0
"""One-euro filter (Casiez, Roussel, Vogel, CHI 2012) on centre and side in crop sides and on radians: a resting
face is smoothed over a third of a second, a face that crosses its own width in a second is followed within 50 ms."""

JUMP_SIDES = 0.25
JUMP_LOG_SIDE = 0.3
JUMP_RAD = 0.45
GAP_S = 1.0
"""A face that moved, grew or turned further than this between two looks, or was not seen for this long, is placed
anew: following it slowly would show a crop of something else."""


WHOLE = 1e-4
"""A scale this close to a whole number is one; float32 matrices are less exact."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a crop lies: centre and side in source pixels, roll of the eye line in radians, clockwise on screen."""

    x_px: float
    y_px: float
    side_px: float
    roll_rad: float


@dataclass(frozen=True, slots=True)
class Steady:
    """A smoothed placement and what the filter remembers: speeds of x, y (sides/s), log side and roll (1/s)."""

    placement: Placement
    media_s: float
    speed: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


def place(points: NDArray[np.float32]) -> Placement:
    """Place an upright square of 1.3 x the face box round the landmarks, float32 [478, 2 or more], source pixels.

    The box is measured along the eye line, so that a tilted head does not look larger.
    """
    mesh = points[:MESH_POINTS, :2].T.astype(np.float64)
    eye_line = mesh[:, RIGHT_EYE].mean(axis=1) - mesh[:, LEFT_EYE].mean(axis=1)
    roll = math.atan2(float(eye_line[1]), float(eye_line[0]))
    along = np.array([[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]])
    level = along @ mesh
    low, high = level.min(axis=1), level.max(axis=1)
    centre = along.T @ ((low + high) / 2)
    side = max(MARGIN * float((high - low).max()), 1.0)
    return Placement(float(centre[0]), float(centre[1]), side, roll)


def steady(before: Steady | None, raw: Placement, media_s: float) -> Steady:
    """Smooth a placement over media time; a jump, a long gap or time that runs backwards starts anew."""
    if before is None or _jumped(before, raw, media_s):
        return Steady(raw, media_s)
    elapsed_s = media_s - before.media_s
    if elapsed_s == 0.0:
        return before
    last = before.placement
    steps = _steps(last, raw)
    filtered = [_one_euro(step, speed, elapsed_s) for step, speed in zip(steps, before.speed, strict=True)]
    (dx, vx), (dy, vy), (grow, v_grow), (turn, v_turn) = filtered
    placement = Placement(
        last.x_px + dx * last.side_px,
        last.y_px + dy * last.side_px,
        last.side_px * math.exp(grow),
        last.roll_rad + turn,
    )
    return Steady(placement, media_s, (vx, vy, v_grow, v_turn))


def scaled(known: Steady, factor: float) -> Steady:
    """Carry a placement over to pictures `factor` times as large."""
    place_before = known.placement
    x_px, y_px, side_px = (length * factor for length in (place_before.x_px, place_before.y_px, place_before.side_px))
    return replace(known, placement=Placement(x_px, y_px, side_px, place_before.roll_rad))


def to_crop(placement: Placement, crop_px: int) -> NDArray[np.float32]:
    """Give the similarity, float32 [2, 3], that maps source pixels to pixels of a crop of side `crop_px`.

    Both sides count continuously: the middle of the first pixel is 0.5.
    """
    scale = crop_px / placement.side_px
    a, b = scale * math.cos(placement.roll_rad), scale * math.sin(placement.roll_rad)
    half = crop_px / 2
    return np.array(
        [
            [a, b, half - a * placement.x_px - b * placement.y_px],
            [-b, a, half + b * placement.x_px - a * placement.y_px],
        ],
        np.float32,
    )


def render(picture: Picture, matrix: NDArray[np.float32], crop_px: int, border_px: int = 0) -> NDArray[np.uint8]:
    """Cut a crop out of a picture: RGB uint8 [side, side, 3], side = crop_px + 2 * border_px.

    `matrix` is what `to_crop` gives for `crop_px`. A border shows more of the surroundings round exactly the same
    middle. When shrinking, every crop pixel averages the area it covers (no aliasing); beyond the picture its edge
    is repeated.
    """
    inverse = _inverse(matrix)
    shrink = math.hypot(inverse[0, 0], inverse[1, 0])
    block = max(1, int(shrink + WHOLE))
    samples = max(1, math.ceil(shrink / block - WHOLE))
    xs, ys = _sources(inverse, crop_px, border_px, samples)
    region = _region(xs, ys, block, picture)
    source = _blocks(rgb(picture, region), block)
    map_x, map_y = _on_grid(xs, block, region.left), _on_grid(ys, block, region.top)
    fine = cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _blocks(np.asarray(fine, np.uint8), samples)


def _jumped(before: Steady, raw: Placement, media_s: float) -> bool:
    x, y, grow, turn = _steps(before.placement, raw)
    elapsed_s = media_s - before.media_s
    return (
        not 0.0 <= elapsed_s <= GAP_S
        or math.hypot(x, y) > JUMP_SIDES
        or abs(grow) > JUMP_LOG_SIDE
        or abs(turn) > JUMP_RAD
    )


def _steps(last: Placement, raw: Placement) -> tuple[float, float, float, float]:
    turn = math.remainder(raw.roll_rad - last.roll_rad, math.tau)
    x, y = (raw.x_px - last.x_px) / last.side_px, (raw.y_px - last.y_px) / last.side_px
    return x, y, math.log(raw.side_px / last.side_px), turn


def _one_euro(step: float, speed: float, elapsed_s: float) -> tuple[float, float]:
    speed += _gain(SPEED_CUTOFF_HZ, elapsed_s) * (step / elapsed_s - speed)
    return _gain(CUTOFF_HZ + SPEED_GAIN * abs(speed), elapsed_s) * step, speed


def _gain(cutoff_hz: float, elapsed_s: float) -> float:
    return 1.0 / (1.0 + 1.0 / (math.tau * cutoff_hz * elapsed_s))


def _inverse(matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    full = np.vstack([matrix.astype(np.float64), [0.0, 0.0, 1.0]])
    return np.linalg.inv(full)[:2]


def _sources(
    inverse: NDArray[np.float64], crop_px: int, border_px: int, samples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the source position of every sample; positions do not depend on the border."""
    grid = (np.arange(-border_px * samples, (crop_px + border_px) * samples) + 0.5) / samples
    x, y = grid[None, :], grid[:, None]
    (a, b, c), (d, e, f) = inverse
    return a * x + (b * y + c), d * x + (e * y + f)


def _on_grid(positions: NDArray[np.float64], block: int, start: int) -> NDArray[np.float32]:
    """Round to the 1/32 px that remap knows before the region's start goes off, so that the region cannot matter.

    Works in place: these arrays are the largest that a crop takes.
    """
    positions *= 32 / block
    positions -= 16 + 32 * (start // block)
    np.rint(positions, out=positions)
    return np.multiply(positions, np.float32(1 / 32), dtype=np.float32, casting="same_kind")


def _region(xs: NDArray[np.float64], ys: NDArray[np.float64], block: int, picture: Picture) -> Region:
    """Bound the samples by whole blocks counted from the picture's corner, so that no block moves with the face.

    The map is affine, so its corners hold the extremes.
    """
    step = 2 * block
    corners = np.ix_((0, -1), (0, -1))
    across, down = xs[corners], ys[corners]
    left, width = _span(float(across.min()), float(across.max()), step, picture.width_px)
    top, height = _span(float(down.min()), float(down.max()), step, picture.height_px)
    return Region(left, top, width, height)


def _span(low: float, high: float, step: int, length: int) -> tuple[int, int]:
    start = min(max(math.floor(low / step) - 1, 0) * step, (length - 1) // step * step)
    end = min(max(math.ceil(high / step) + 1, 1) * step, length)
    return start, max(end - start, 2)


def _blocks(pixels: NDArray[np.uint8], block: int) -> NDArray[np.uint8]:
    """Average blocks of pixels; a remainder at the far edges is averaged with its edge repeated."""
    if block == 1:
        return pixels
    height, width = pixels.shape[:2]
    bottom, right = -height % block, -width % block
    if bottom or right:
        pixels = np.asarray(cv2.copyMakeBorder(pixels, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8)
    size = ((width + right) // block, (height + bottom) // block)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
