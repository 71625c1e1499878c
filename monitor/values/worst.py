# SPDX-License-Identifier: Apache-2.0
"""What the network saw at the looks that spoke most for an attack."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.values.face import FaceBox

__all__ = ["WorstLook"]


@dataclass(frozen=True, slots=True, eq=False)
class WorstLook:
    """One look at a face of an alert.

    `logit` ranks the looks of one face, `score` 0..1 is what it means. `boundary` uint8 [n, n] covers the crop, 255
    where the network is sure that a blend ends. `rgb` uint8 [side, side, 3] is the crop, None unless pictures are kept.
    """

    media_s: float
    logit: float
    score: float | None
    box: FaceBox
    boundary: NDArray[np.uint8]
    rgb: NDArray[np.uint8] | None = None
