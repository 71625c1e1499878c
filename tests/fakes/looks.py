# SPDX-License-Identifier: Apache-2.0
"""Worst looks, with a crop or without."""

import numpy as np

from monitor.values import FaceBox, WorstLook

__all__ = ["worst_look"]


def worst_look(media_s: float = 1.0, logit: float = 2.0, *, level: int | None = None) -> WorstLook:
    """A look with a ring for a map; with `level` its crop is evenly grey."""
    boundary = np.zeros((16, 16), np.uint8)
    boundary[2:14, 2:14] = 200
    boundary[4:12, 4:12] = 0
    rgb = None if level is None else np.full((128, 128, 3), level, np.uint8)
    return WorstLook(media_s, logit, 0.9, FaceBox(10.04, 20.0, 100.0, 120.0), boundary, rgb)
