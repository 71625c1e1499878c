# SPDX-License-Identifier: Apache-2.0
"""A real clip in, the same person as another camera, light or filter would have shown them out."""

from typing import Final

import numpy as np

from models.forgeries.clip import Clip
from models.forgeries.harmless import harmless

__all__ = ["another_camera"]

MOST: Final = 2


def another_camera(clip: Clip, rng: np.random.Generator, share: float) -> Clip:
    """Treat a clip harmlessly with chance `share`, and once more with the same chance; the landmarks stay.

    What is done before a forgery both twins show, so that no camera, light or filter speaks for either. Few cameras are
    in any training footage, and what a network thinks of an unknown one is added to every logit of that call.
    """
    for _ in range(MOST):
        if rng.random() >= share:
            break
        clip = Clip(harmless(clip, rng), clip.points)
    return clip
