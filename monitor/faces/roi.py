# SPDX-License-Identifier: Apache-2.0
"""Where a face was in, the upright square that the face mesh network looks at, and the way back, out; pure."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.faces.boxes import box_of, centre
from monitor.faces.picture import Planes, Region, planes
from monitor.values import FaceBox, Picture

__all__ = ["MESH_PX", "Roi", "cut", "roi_of", "strayed"]

MESH_PX: Final = 256
"""Side of the network's input."""

SCALE: Final = 1.365
DOWN: Final = 0.035
"""Side of the square over the longer side of the face box, and how far it lies below the box's middle, over the same.

MediaPipe bounds the face by its detector in single pictures; with this square the landmarks come closest to those."""

EYE_CORNERS: Final = (33, 263)
"""Outer corners of the eyes, the left one of an unmirrored picture first: the square is turned with them."""

EDGE_PX: Final = 4
"""Pixels beyond the square that interpolation may touch."""

STRAYED: Final = 0.15
"""Share of the side by which a face may lie off the middle of the square it was measured in, or differ in size."""


@dataclass(frozen=True, slots=True)
class Roi:
    """A square: centre and side in source pixels, turned by `roll_rad`, clockwise on screen."""

    x_px: float
    y_px: float
    side_px: float
    roll_rad: float

    @property
    def to_mesh(self) -> NDArray[np.float64]:
        """The similarity, float64 [2, 3], from source pixels to those of the network's input."""
        scale = MESH_PX / self.side_px
        a, b = scale * math.cos(self.roll_rad), scale * math.sin(self.roll_rad)
        half = MESH_PX / 2
        return np.array(
            [[a, b, half - a * self.x_px - b * self.y_px], [-b, a, half + b * self.x_px - a * self.y_px]], np.float64
        )

    def to_picture(self, mesh: NDArray[np.float32]) -> NDArray[np.float32]:
        """Carry points float32 [n, 3] of the network back to the picture; depths count in source pixels, too."""
        scale = self.side_px / MESH_PX
        a, b = scale * math.cos(self.roll_rad), scale * math.sin(self.roll_rad)
        x, y = mesh[:, 0] - MESH_PX / 2, mesh[:, 1] - MESH_PX / 2
        columns = (a * x - b * y + self.x_px, b * x + a * y + self.y_px, scale * mesh[:, 2])
        return np.stack(columns, axis=1).astype(np.float32)


def roi_of(points: NDArray[np.float32], expected: FaceBox | None = None) -> Roi:
    """Give the square round landmarks float32 [478, 2 or more], moved to where the face is expected now."""
    box = box_of(points)
    x_px, y_px = centre(expected or box)
    left, right = points[EYE_CORNERS[0]], points[EYE_CORNERS[1]]
    roll_rad = math.atan2(float(right[1] - left[1]), float(right[0] - left[0]))
    longer_px = max(box.width, box.height, 1.0)
    down_px = DOWN * longer_px
    return Roi(x_px - down_px * math.sin(roll_rad), y_px + down_px * math.cos(roll_rad), SCALE * longer_px, roll_rad)


def strayed(measured: Roi, found: Roi) -> bool:
    """Tell whether a face lies so far off the square it was measured in that the measure cannot be trusted."""
    away = math.dist((measured.x_px, measured.y_px), (found.x_px, found.y_px))
    return max(away, abs(measured.side_px - found.side_px)) > STRAYED * measured.side_px


def cut(picture: Picture, roi: Roi) -> NDArray[np.uint8]:
    """Cut the square out of a picture, upright: RGB uint8 [256, 256, 3]; beyond the picture its edge is repeated."""
    block = max(1, int(roi.side_px / MESH_PX))
    region = _region(roi, block, picture)
    source = _shrunk(planes(picture, region), block)
    matrix = _indices(roi.to_mesh, region, block)
    packed = np.concatenate(
        [
            _warped(source.y, matrix, MESH_PX).reshape(-1),
            *(_warped(plane, _chroma(matrix), MESH_PX // 2).reshape(-1) for plane in source[1:]),
        ]
    )
    return np.asarray(cv2.cvtColor(packed.reshape(-1, MESH_PX), cv2.COLOR_YUV2RGB_I420), np.uint8)


def _region(roi: Roi, block: int, picture: Picture) -> Region:
    """Bound the turned square by whole blocks inside the picture."""
    half = roi.side_px / 2 * (abs(math.cos(roi.roll_rad)) + abs(math.sin(roi.roll_rad))) + EDGE_PX * block
    left, width = _span(roi.x_px - half, roi.x_px + half, 2 * block, picture.width_px)
    top, height = _span(roi.y_px - half, roi.y_px + half, 2 * block, picture.height_px)
    return Region(left, top, width, height)


def _span(low: float, high: float, step: int, length: int) -> tuple[int, int]:
    start = min(max(math.floor(low / step), 0) * step, max((length // step - 1) * step, 0))
    end = min(max(math.ceil(high / step) * step, start + step), length)
    return start, (end - start) // step * step or end - start


def _shrunk(cut_out: Planes, block: int) -> Planes:
    if block == 1:
        return cut_out
    sizes = [(max(plane.shape[1] // block, 1), max(plane.shape[0] // block, 1)) for plane in cut_out]
    shrunk = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane, size in zip(cut_out, sizes, strict=True))
    return Planes(*(np.asarray(plane, np.uint8) for plane in shrunk))


def _indices(to_mesh: NDArray[np.float64], region: Region, block: int) -> NDArray[np.float64]:
    """Give the map from indices of the shrunk region to indices of the network's input."""
    turn = to_mesh[:, :2] * block
    start = np.array([region.left, region.top]) + (block - 1) / 2
    return np.column_stack([turn, to_mesh[:, :2] @ start + to_mesh[:, 2]])


def _chroma(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the same map for planes of half the size, whose samples lie in the middle of four of luma."""
    shift = (luma[:, :2] @ (0.5, 0.5) + luma[:, 2] - 0.5) / 2
    return np.column_stack([luma[:, :2], shift])


def _warped(plane: NDArray[np.uint8], matrix: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.warpAffine(plane, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
