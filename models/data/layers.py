# SPDX-License-Identifier: Apache-2.0
"""A random generator in, the size of a face and the bitrate spent on it in some layer of a video call out."""

from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["LAYERS", "Layer", "Sent", "draw_sent"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One of the sizes in which a sender offers its picture, with the least and the most bitrate it may take."""

    height_px: int
    least_kbps: float
    most_kbps: float
    share: float


LAYERS: Final = (Layer(180, 30, 200, 0.3), Layer(360, 150, 700, 0.4), Layer(720, 600, 2500, 0.3))
"""Simulcast of a 720p sender in libwebrtc; how often each is drawn is chosen so that small faces are common, since a
forwarding unit often passes on the lower ones only."""

FACE_SHARES: Final = (0.25, 0.5)
"""Face box over the picture's height, from leaning back to leaning in."""

FACE_BITS: Final = (0.4, 0.9)
"""Share of the bits that the face and its surroundings take: the room stands still."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Longer side of the face as it is sent, and kbit/s spent on the picture of the face with its surroundings."""

    face_px: float
    kbps: float


def draw_sent(rng: np.random.Generator) -> Sent:
    """Draw a layer, how large the face is in it, and its bitrate (log-uniform)."""
    layer = LAYERS[int(rng.choice(len(LAYERS), p=[one.share for one in LAYERS]))]
    kbps = float(np.exp(rng.uniform(np.log(layer.least_kbps), np.log(layer.most_kbps))))
    face_share = float(np.exp(rng.uniform(*np.log(FACE_SHARES))))
    return Sent(layer.height_px * face_share, kbps * float(rng.uniform(*FACE_BITS)))
