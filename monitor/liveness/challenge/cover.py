# SPDX-License-Identifier: Apache-2.0
"""Crops in, which eye a hand has covered out.

A hand before the face is what face swaps render worst: they paint the face over it. Asked for as a test by hand in
calls, and studied as an occlusion challenge (Mittal et al. 2024, GOTCHA: challenge-response against real-time
deepfakes).

An eye counts as covered when its patch no longer resembles that eye at rest, while the other one does. Measured on 860
stretches of 4 s of 67 bona fide people who cover nothing: never. A mouth alone looks covered in 7 % of them, since
people talk, and a forehead has too little in it; so eyes alone are asked for. No film of hands before faces was at
hand: that an honest hand is seen is tested with drawn ones only.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np

from monitor.liveness.challenge.asking import Reading
from monitor.values import FaceCrop

__all__ = ["CoveredEye"]

EYES: Final = {"right eye": (33, 133, 159, 145), "left eye": (263, 362, 386, 374)}
"""Corners and lids of each eye; named as the participant's own."""

PATCH: Final = 0.22
"""Side of a patch over the side of the crop: an eye with its brow."""

CELLS: Final = 12

COVERED: Final = 0.3
VISIBLE: Final = 0.6
"""Correlation with the eye at rest; bona fide eyes stay above 0.49 in 99 of 100 looks within 4 s, blinks included."""


class CoveredEye:
    """One eye or the other covered with the hand."""

    choices: tuple[str, ...] = tuple(EYES)
    rest_words = "Look straight at the screen and hold still, both eyes free."

    def words(self, choice: str) -> str:
        """The eye in words."""
        return f"Cover your {choice} with your hand."

    def read(self, crop: FaceCrop) -> Reading | None:
        """Grey patches of both eyes, each 12 x 12, one after the other."""
        if crop.landmarks is None:
            return None
        grey = cv2.cvtColor(crop.rgb, cv2.COLOR_RGB2GRAY)
        points = crop.landmarks.points[:, :2] @ crop.to_crop[:, :2].T + crop.to_crop[:, 2]
        side = PATCH * grey.shape[0]
        centres = [points[list(eye)].mean(axis=0) for eye in EYES.values()]
        if not np.isfinite(centres).all():
            return None
        patches = [
            cv2.getRectSubPix(grey, (round(side), round(side)), _inside(each, grey.shape[0])) for each in centres
        ]
        cells = [cv2.resize(each, (CELLS, CELLS), interpolation=cv2.INTER_AREA).ravel() for each in patches]
        return np.concatenate(cells).astype(np.float64)

    def resting(self, readings: Sequence[Reading]) -> bool:
        """Whether both eyes look now as they did during the rest."""
        return len(readings) == 1 or min(_likeness(readings[:-1], readings[-1])) >= VISIBLE

    def done(self, rest: Sequence[Reading], reading: Reading) -> Mapping[str, float]:
        """1 for the one eye that is covered, 0 for an eye that is not, and for both when both are."""
        right, left = _likeness(rest, reading)
        return {
            "right eye": float(right < COVERED and left >= VISIBLE),
            "left eye": float(left < COVERED and right >= VISIBLE),
        }


def _inside(centre: Reading, side: int) -> tuple[float, float]:
    x, y = np.clip(centre, 0.0, side - 1.0).tolist()
    return x, y


def _likeness(rest: Sequence[Reading], reading: Reading) -> tuple[float, float]:
    """Correlation -1..1 of each eye with its median at rest."""
    middle = np.median(np.stack(rest), axis=0)
    first, second = (_correlation(*pair) for pair in zip(np.split(middle, 2), np.split(reading, 2), strict=True))
    return first, second


def _correlation(one: Reading, other: Reading) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-6))
