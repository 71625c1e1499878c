# SPDX-License-Identifier: Apache-2.0
"""A real clip in, the same clip as a camera, the light or a filter would change it out; it stays labelled real."""

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np

from models.forgeries.clip import Clip, Pixels
from models.forgeries.harmless.background import virtual_background
from models.forgeries.harmless.exposure import exposure_steps
from models.forgeries.harmless.glasses import glasses_glare
from models.forgeries.harmless.low_light import low_light
from models.forgeries.harmless.make_up import make_up
from models.forgeries.harmless.motion_blur import motion_blur
from models.forgeries.harmless.sharpening import sharpening
from models.forgeries.harmless.skin import smooth_picture, smooth_skin
from models.forgeries.harmless.white_balance import white_balance_drift

__all__ = ["TREATMENTS", "Treatment", "harmless"]


class Treatment(Protocol):
    """Treats a clip, drawing its parameters from `rng` once: uint8 [T, S, S, 3] of the clip's shape."""

    def __call__(self, clip: Clip, rng: np.random.Generator) -> Pixels:
        """Treat the clip; the same clip and generator state give the same pictures."""


TREATMENTS: Final[Mapping[str, Treatment]] = {
    "sharpening": sharpening,
    "smooth_picture": smooth_picture,
    "smooth_skin": smooth_skin,
    "make_up": make_up,
    "virtual_background": virtual_background,
    "glasses_glare": glasses_glare,
    "low_light": low_light,
    "motion_blur": motion_blur,
    "exposure_steps": exposure_steps,
    "white_balance_drift": white_balance_drift,
}


def harmless(clip: Clip, rng: np.random.Generator, treatment: str | None = None) -> Pixels:
    """Treat a real clip by `treatment`, or by one drawn evenly; uint8 [T, S, S, 3] still labelled real."""
    names = list(TREATMENTS)
    drawn = names[int(rng.integers(len(names)))]
    return TREATMENTS[treatment or drawn](clip, rng)
