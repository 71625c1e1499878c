# SPDX-License-Identifier: Apache-2.0
"""An RGB picture in, whether there may be a face in it out, so that MediaPipe's graph need not be asked in vain."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.faces.mesh import DETECTOR_PX, MeshNetworks

__all__ = ["Scout"]

DOUBTFUL_LOGIT: Final = -0.5
"""Score of the best candidate below which there is no face. MediaPipe takes candidates from 0 on; in 142 pictures of
five sample films it found no face whose score was below 0.5."""


class Scout:
    """Runs MediaPipe's detector alone on what MediaPipe would show it."""

    def __init__(self, networks: MeshNetworks) -> None:
        self._networks = networks

    def sees(self, rgb: NDArray[np.uint8]) -> bool:
        """Tell whether RGB uint8 [height, width, 3] may hold a face; black bars make it square."""
        height, width = rgb.shape[:2]
        scale = DETECTOR_PX / max(height, width)
        left, top = ((DETECTOR_PX - scale * length) / 2 for length in (width, height))
        matrix = np.array([[scale, 0.0, left], [0.0, scale, top]])
        small = cv2.warpAffine(rgb, matrix, (DETECTOR_PX, DETECTOR_PX), flags=cv2.INTER_LINEAR)
        return self._networks.detect(np.asarray(small, np.uint8)) >= DOUBTFUL_LOGIT
