# SPDX-License-Identifier: Apache-2.0
"""An RGB picture in, the landmarks of every face in it out (MediaPipe's networks on LiteRT, without its graph)."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.faces.detection import DETECTOR_PX, Detection, detections
from monitor.faces.networks import FaceNetworks
from monitor.faces.pose import pose_of
from monitor.faces.roi import cut, roi_of
from monitor.values import Landmarks

__all__ = ["LiteLandmarker", "shared_lite"]

PRESENT_LOGIT: Final = 0.0
"""Presence of a face in what the mesh is shown, as in MediaPipe's graph: probability one half."""


class LiteLandmarker:
    """Finds faces as `Landmarker` does, in any thread: detector, mesh, blendshapes and pose, one after the other."""

    def __init__(self, networks: FaceNetworks, max_faces: int) -> None:
        self._networks = networks
        self._max_faces = max_faces

    def find(self, rgb: NDArray[np.uint8]) -> tuple[Landmarks, ...]:
        """Find the faces in RGB uint8 [height, width, 3]; points come in this picture's pixels."""
        measured = (self._measure(rgb, face) for face in self._detect(rgb))
        return tuple(face for face in measured if face is not None)

    def _detect(self, rgb: NDArray[np.uint8]) -> list[Detection]:
        """Show the detector the picture, made square by black bars."""
        height, width = rgb.shape[:2]
        scale = DETECTOR_PX / max(height, width)
        bars = np.array([(DETECTOR_PX - scale * length) / 2 for length in (width, height)])
        matrix = np.column_stack([np.eye(2) * scale, bars])
        small = cv2.warpAffine(rgb, matrix, (DETECTOR_PX, DETECTOR_PX), flags=cv2.INTER_LINEAR)
        found = detections(*self._networks.detect(np.asarray(small, np.uint8)), self._max_faces)
        return [Detection((each.corners - bars) / scale, (each.eyes - bars) / scale) for each in found]

    def _measure(self, rgb: NDArray[np.uint8], face: Detection) -> Landmarks | None:
        roi = roi_of(face)
        mesh, presence = self._networks.measure(cut(rgb, roi))
        if presence < PRESENT_LOGIT:
            return None
        points = roi.placed(mesh)
        height, width = rgb.shape[:2]
        pose = pose_of(points, (width, height), self._networks.canonical)
        return Landmarks(points, self._networks.blendshapes(points), pose)


@lru_cache(maxsize=8)
def shared_lite(model: Path, max_faces: int) -> LiteLandmarker:
    """Give the process's one for a model and number of faces; AssetError and StartError as `FaceNetworks`."""
    return LiteLandmarker(FaceNetworks(model), max_faces)
