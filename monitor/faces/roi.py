# SPDX-License-Identifier: Apache-2.0
"""Where the detector saw a face in, the rectangle that the face mesh network looks at, and the way back, out."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.faces.detection import Detection

__all__ = ["MESH_PX", "Roi", "cut", "roi_of"]

MESH_PX: Final = 256
"""Side of the network's input."""

SCALE: Final = 1.5
"""Sides of the rectangle over those of the detector's bounds, as in MediaPipe's graph."""


@dataclass(frozen=True, slots=True)
class Roi:
    """A rectangle: middle and sides in a picture's pixels, turned by `roll_rad`, clockwise on screen."""

    x_px: float
    y_px: float
    width_px: float
    height_px: float
    roll_rad: float

    @property
    def to_picture(self) -> NDArray[np.float64]:
        """The map, float64 [2, 3], from pixels of the network's input to those of the picture."""
        cosine, sine = math.cos(self.roll_rad), math.sin(self.roll_rad)
        across, down = self.width_px / MESH_PX, self.height_px / MESH_PX
        turn = np.array([[cosine * across, -sine * down], [sine * across, cosine * down]])
        return np.column_stack([turn, np.array([self.x_px, self.y_px]) - turn @ (MESH_PX / 2, MESH_PX / 2)])

    def placed(self, mesh: NDArray[np.float32]) -> NDArray[np.float32]:
        """Carry points float32 [n, 3] of the network back to the picture; depths count in its pixels, too."""
        matrix = self.to_picture
        flat = mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        return np.column_stack([flat, mesh[:, 2] * (self.width_px / MESH_PX)]).astype(np.float32)


def roi_of(face: Detection) -> Roi:
    """Give the rectangle round a face, level with its eyes."""
    x_px, y_px = face.corners.mean(axis=0).tolist()
    width_px, height_px = (SCALE * np.maximum(face.corners[1] - face.corners[0], 1.0)).tolist()
    across, down = (face.eyes[1] - face.eyes[0]).tolist()
    return Roi(x_px, y_px, width_px, height_px, math.atan2(down, across))


def cut(rgb: NDArray[np.uint8], roi: Roi) -> NDArray[np.uint8]:
    """Cut the rectangle out of RGB uint8 [height, width, 3], upright: RGB uint8 [256, 256, 3].

    Pixels are interpolated; beyond the picture its edge is repeated.
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shown = cv2.warpAffine(rgb, roi.to_picture, (MESH_PX, MESH_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shown, np.uint8)
