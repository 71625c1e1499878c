# SPDX-License-Identifier: Apache-2.0
"""Landmarks of a face over seconds in, how much more of their movement a plane explains than it does not out.

The picture of a plane that is turned is an affine map of what it was; a head that turns moves its nose against its
ears, and a face that speaks moves in itself, which no affine map does. That planes give photographs away is the
method of Kollreider, Fronthaler and Bigun 2009 (Image and Vision Computing 27) and of De Marsico, Nappi, Riccio and
Dugelay 2012 (ICB, projective invariants of landmarks). Only turning and shear are counted: shifting and
scaling are what an automatic camera frame does to anybody.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["POINTS", "flatness"]

CONTOUR: Final = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
INNER: Final = (1, 2, 4, 5, 6, 168, 195, 197, 98, 327, 33, 133, 362, 263)
MOVING: Final = (61, 291, 0, 17, 13, 14, 70, 105, 107, 336, 334, 300, 152, 148, 377)
POINTS: Final = np.array(CONTOUR + INNER + MOVING)
"""Mesh indices: the contour above the mouth, nose and corners of the eyes, then lips, brows and chin."""

LEAST_SIZE_PX: Final = 4.0
FLOOR: Final = 1e-6

Floats = NDArray[np.float32] | NDArray[np.float64]


def flatness(points: Floats) -> float | None:
    """Logarithm of (turning and shear of the best plane) over (movement it leaves), of [T, N, 2] in any unit of length.

    None where the points lie in one spot or on one line, or are not finite.
    """
    flat = np.asarray(points, np.float64)
    flat = flat - flat.mean(axis=1, keepdims=True)
    shape = flat.mean(axis=0)
    if not np.isfinite(shape).all() or np.linalg.svd(shape, compute_uv=False)[-1] < LEAST_SIZE_PX:
        return None
    shape /= np.sqrt(np.square(shape).mean())
    maps = np.linalg.pinv(shape) @ flat
    left_over = flat - shape @ maps
    sizes = np.sqrt(np.abs(np.linalg.det(maps)))[:, None, None]
    turning = _spread(maps / np.maximum(sizes, FLOOR))
    return float(np.log((turning + FLOOR) / (_spread(left_over / np.maximum(sizes, FLOOR)) + FLOOR)))


def _spread(values: NDArray[np.float64]) -> float:
    """Standard deviation over time, all else in common."""
    return float(np.sqrt(np.square(values - values.mean(axis=0)).mean()))
