# SPDX-License-Identifier: Apache-2.0
"""Warps: a similarity about a middle, a fitted similarity, and a thin-plate warp from one face's shape to another's."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.forgeries.clip import Pixels

__all__ = ["about", "fit_similarity", "move", "thin_plate", "warp"]

GRID_CELLS: Final = 22
REGULAR: Final = 1e-3
Matrix = NDArray[np.float64]


def about(middle: NDArray[np.float32], turn_deg: float, scale: float, shift: tuple[float, float]) -> Matrix:
    """Give the similarity [2, 3] that turns and scales about `middle` and then shifts, in pixels."""
    matrix: Matrix = np.asarray(
        cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), turn_deg, scale), np.float64
    )
    matrix[:, 2] += shift
    return matrix


def fit_similarity(source: NDArray[np.float32], target: NDArray[np.float32]) -> Matrix:
    """Fit the similarity [2, 3] that carries `source` [N, 2] onto `target` (least squares, Umeyama 1991)."""
    middle_s, middle_t = source.mean(axis=0), target.mean(axis=0)
    s = (source - middle_s) @ np.array([1.0, 1.0j])
    t = (target - middle_t) @ np.array([1.0, 1.0j])
    turn = np.vdot(s, t) / max(float(np.vdot(s, s).real), 1e-9)
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, middle_t - linear @ middle_s])


def move(points: NDArray[np.float32], matrix: Matrix) -> NDArray[np.float32]:
    """Carry points [N, 2] over by a [2, 3] matrix."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def warp(rgb: Pixels, matrix: Matrix, interpolation: int = cv2.INTER_LINEAR) -> Pixels:
    """Warp a picture by a [2, 3] matrix onto a picture of the same side, edges reflected."""
    size = (rgb.shape[1], rgb.shape[0])
    warped = cv2.warpAffine(rgb, matrix, size, flags=interpolation, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(warped, np.uint8)


def _kernel(to: NDArray[np.float64], control: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate r^2 log r^2 between points [M, 2] and [N, 2]; the square is expanded, which is three times as fast."""
    squared = np.square(to).sum(axis=1)[:, None] + np.square(control).sum(axis=1)[None] - 2.0 * (to @ control.T)
    np.maximum(squared, 0.0, out=squared)
    return np.asarray(squared * np.log(squared + 1e-12))


def thin_plate(rgb: Pixels, source: NDArray[np.float32], target: NDArray[np.float32]) -> Pixels:
    """Warp a picture so that its points `source` [N, 2] come to lie on `target` (thin-plate spline, Bookstein 1989).

    The spline is solved backwards, from target to source, and evaluated on a coarse grid that is then stretched.
    """
    side = rgb.shape[0]
    control, values = target.astype(np.float64) / side, source.astype(np.float64) / side
    count = len(control)
    affine = np.column_stack([np.ones(count), control])
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(control, control) + REGULAR * np.eye(count)
    system[:count, count:], system[count:, :count] = affine, affine.T
    weights = np.linalg.solve(system, np.vstack([values, np.zeros((3, 2))]))
    line = (np.arange(GRID_CELLS) + 0.5) / GRID_CELLS
    grid = np.stack(np.meshgrid(line, line), axis=2).reshape(-1, 2)
    placed = _kernel(grid, control) @ weights[:count] + np.column_stack([np.ones(len(grid)), grid]) @ weights[count:]
    coarse = (placed.reshape(GRID_CELLS, GRID_CELLS, 2) * side - 0.5).astype(np.float32)
    dense = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
    mapped = cv2.remap(rgb, dense[:, :, 0], dense[:, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(mapped, np.uint8)
