# SPDX-License-Identifier: Apache-2.0
"""A picture and a face of the look before in, its landmarks now out, without a detector."""

from typing import Final

import numpy as np

from monitor.faces.mesh import MeshNetworks
from monitor.faces.picture import Region
from monitor.faces.pose import pose_of
from monitor.faces.roi import cut, roi_of, strayed
from monitor.values import FaceBox, Landmarks, Picture

__all__ = ["Follower"]

SURE_LOGIT: Final = 5.0
"""Presence below which the whole search decides whether there is a face. MediaPipe itself is content with 0."""


class Follower:
    """Measures known faces where they are expected; what it is not sure of is left to the whole search."""

    def __init__(self, networks: MeshNetworks) -> None:
        self._networks = networks

    def find(self, picture: Picture, last: Landmarks, expected: FaceBox, region: Region) -> Landmarks | None:
        """Give the landmarks of the face `last` in source pixels, or None when it is not surely where it is expected.

        The head pose is that before a camera which sees `region` and nothing else, as where MediaPipe is shown that.
        """
        roi = roi_of(last.points, expected)
        mesh, presence = self._networks.measure(cut(picture, roi))
        points = roi.to_picture(mesh)
        if presence < SURE_LOGIT or strayed(roi, roi_of(points)):
            return None
        seen = points - np.array([region.left, region.top, 0], np.float32)
        pose = pose_of(seen, (region.width, region.height), self._networks.canonical)
        return Landmarks(points, self._networks.blendshapes(seen), pose)
