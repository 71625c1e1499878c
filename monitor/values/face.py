# SPDX-License-Identifier: Apache-2.0
"""What is seen of a face in one frame: where it is, how well it can be judged, its crop."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.values.words import Reason

__all__ = ["FaceBox", "FaceCrop", "FaceLook", "Landmarks", "Quality"]


class FaceBox(NamedTuple):
    """Face bounding box in source pixels; may reach over the picture's edge."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """MediaPipe face mesh: `points` float32 [478, 3] in source pixels (z on the scale of x).

    `blendshapes` maps MediaPipe names to 0..1; `pose` is the 4x4 head pose float32, or None.
    """

    points: NDArray[np.float32]
    blendshapes: Mapping[str, float] = field(default_factory=dict)
    pose: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be judged.

    `face_px` shorter side of the face box in source pixels; `sharpness` standard deviation of the
    Laplacian of the luma at crop size; `exposure` mean luma 0..1; `yaw_deg`, `pitch_deg` absolute head angles;
    `visible` share 0..1 of the face inside the picture; `weight` 0..1 is the trust in an observation.
    `reasons` is empty when the crop may be judged.
    """

    face_px: float
    sharpness: float
    exposure: float
    yaw_deg: float
    pitch_deg: float
    visible: float
    weight: float
    reasons: tuple[Reason, ...] = ()

    @property
    def judgeable(self) -> bool:
        """Whether the crop may be judged at all."""
        return not self.reasons


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """One look at one face: `rgb` uint8 [side, side, 3], aligned smoothly over time.

    `track` is stable within the participant; `to_crop` float32 [2, 3] maps source pixels to crop pixels. `wide` uint8
    [192, 192, 3] shows the face in its surroundings, 1.5 x as far as `rgb` each way; about one look a second has it.
    """

    call: str
    participant: str
    track: int
    media_s: float
    rgb: NDArray[np.uint8]
    box: FaceBox
    to_crop: NDArray[np.float32]
    quality: Quality
    landmarks: Landmarks | None = None
    wide: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FaceLook:
    """What was seen in one frame: a crop for each face, the tracks that ended, reasons when no face can be used."""

    media_s: float
    crops: tuple[FaceCrop, ...] = ()
    ended_tracks: tuple[int, ...] = ()
    reasons: tuple[Reason, ...] = ()
