# SPDX-License-Identifier: Apache-2.0
"""Head poses in, how far the head has turned in each direction out.

The angle is that of the rotation MediaPipe fits to the face mesh. Turning the head is the oldest of the active tests of
liveness (Frischholz and Werner 2003, AMFG: avoiding replay attacks by head pose).

Measured on 146 bona fide clips of 109 people (14 minutes, talking, 5 looks a second): after 0.8 s at rest, two looks in
a row were turned 20 degrees or more to a given side within the next 4 s in 0.7 to 0.9 % of 1,584 cases, and 12 degrees
up or down in 2.8 and 0.1 %. Two gestures in random directions, one mistake forgiven, then happen by chance about once
in 2,500 times, if gestures are independent.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from monitor.liveness.challenge.asking import Reading
from monitor.liveness.challenge.pose import head_deg
from monitor.values import FaceCrop

__all__ = ["DIRECTIONS", "TURN_DEG", "HeadTurn"]

DIRECTIONS: Final = ("left", "right", "up", "down")

TURN_DEG: Final = 20.0
"""Least turn to a side: a glance at the edge of a screen and no more, well under 45 degrees, where faces are lost."""

NOD_SHARE: Final = 0.6
"""Up and down less is asked: 12 degrees."""

STEADY_DEG: Final = 5.0
"""Range of a head at rest; neighbouring looks differ by 0.7 degrees at the median, by 4 at the 90th percentile."""

WORDS: Final = {
    "left": "Turn your head to your left.",
    "right": "Turn your head to your right.",
    "up": "Lift your chin and look up.",
    "down": "Lower your chin and look down.",
}


class HeadTurn:
    """Turns of the head to the participant's own left and right by `turn_deg`, up and down by 0.6 times that."""

    choices: tuple[str, ...] = DIRECTIONS
    rest_words = "Look straight at the screen and hold still."

    def __init__(self, turn_deg: float = TURN_DEG) -> None:
        self._turn_deg = turn_deg

    def words(self, choice: str) -> str:
        """The direction in words."""
        return WORDS[choice]

    def read(self, crop: FaceCrop) -> Reading | None:
        """Yaw and pitch in degrees."""
        return head_deg(crop)

    def resting(self, readings: Sequence[Reading]) -> bool:
        """Whether the head stays within STEADY_DEG."""
        return float(np.ptp(np.stack(readings), axis=0).max()) <= STEADY_DEG

    def done(self, rest: Sequence[Reading], reading: Reading) -> Mapping[str, float]:
        """Share of the angle turned from the middle of the rest, below 0 the other way."""
        yaw, pitch = ((reading - np.median(np.stack(rest), axis=0)) / self._turn_deg).tolist()
        return {"left": yaw, "right": -yaw, "up": pitch / NOD_SHARE, "down": -pitch / NOD_SHARE}
