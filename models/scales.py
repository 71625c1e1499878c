# SPDX-License-Identifier: Apache-2.0
"""Logits of the same look at full and at half detail in, one logit that people and cameras shift less out.

Faces and cameras differ more than forgeries do from their originals. What a network says of a face whose detail was
taken away carries the face, the light and the camera, too; the rest is what the detail adds. Each part is measured in
units of how bona fide people differ in it, and the two are joined by their log-mean-exp, so that either may speak
alone: a warped face shows in its coarse shape, a mouth made anew in its detail. Two bands of a Laplacian pyramid (Burt
and Adelson 1983), taken of the network's word instead of the picture. Measured in docs/decisions/0049.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["REFERENCE_PX", "SIZE_RANGE_OCTAVES", "UNMEASURED", "Scales", "octaves"]

SHARPNESS: Final = 2.0
"""Of the log-mean-exp; trials with 1 and 4 did not differ (docs/decisions/0049)."""

REFERENCE_PX: Final = 100.0
SIZE_RANGE_OCTAVES: Final = 0.6
"""Sizes that were measured: 66 to 152 px. Beyond, the shift at the end of the range is taken."""

Floats = NDArray[np.float64]
Series = Sequence[float] | Floats


@dataclass(frozen=True, slots=True)
class Scales:
    """Middle and spread over bona fide people of the coarse logit, and of what detail adds to it.

    `coarse_slope` and `detail_slope`: by how much each rises with every octave of the face's width in the source.
    """

    coarse_mean: float
    coarse_spread: float
    detail_mean: float
    detail_spread: float
    coarse_slope: float = 0.0
    detail_slope: float = 0.0

    def logit(self, fine: Series, coarse: Series, face_px: Series) -> Floats:
        """Join logits [N] of looks at full and at half detail, of faces so wide: float64 [N], in spreads of people."""
        low, size = np.asarray(coarse, np.float64), octaves(face_px)
        shape = (low - self.coarse_mean - self.coarse_slope * size) / self.coarse_spread
        detail = (np.asarray(fine, np.float64) - low - self.detail_mean - self.detail_slope * size) / self.detail_spread
        joined: Floats = (np.logaddexp(SHARPNESS * shape, SHARPNESS * detail) - np.log(2.0)) / SHARPNESS
        return joined

    def joined(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """The same for faces of the reference size, float32 [N] where the logits lie: nobody waits for a device."""
        low = coarse.double()
        shape = (low - self.coarse_mean) / self.coarse_spread
        detail = (fine.double() - low - self.detail_mean) / self.detail_spread
        return ((torch.logaddexp(SHARPNESS * shape, SHARPNESS * detail) - math.log(2.0)) / SHARPNESS).float()


UNMEASURED: Final = Scales(0.0, 1.0, 0.0, 1.0)
"""Before a calibration has measured bona fide people."""


def octaves(face_px: Series) -> Floats:
    """Sizes of faces in octaves over the reference, within the range that was measured."""
    sizes: Floats = np.log2(np.maximum(np.asarray(face_px, np.float64), 1.0) / REFERENCE_PX)
    return np.clip(sizes, -SIZE_RANGE_OCTAVES, SIZE_RANGE_OCTAVES)
