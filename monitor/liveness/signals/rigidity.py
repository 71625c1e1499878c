# SPDX-License-Identifier: Apache-2.0
"""Head poses of one face in, how much the head trembles against how it moves out; it measures and abstains.

A head has mass: from look to look it goes on as it went. Forgeries are made frame by frame, so that part of their
movement does not (Yang, Li and Lyu 2019, ICASSP, inconsistent head poses; Sun et al. 2021, CVPR, precise geometric
features). The direction holds for swaps and lip-sync, and turns round for reenactment, hence no evidence.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.liveness.signals.beat import BEAT_S, Beat, Step
from monitor.liveness.signals.signal import abstain
from monitor.values import NO_CONTEXT, Context, Evidence, FaceCrop

__all__ = ["LEAST_LOOKS", "TrembleOfHead"]

GAP_S: Final = 1.75 * BEAT_S
"""Changes of speed are only comparable between looks that are evenly apart."""

LEAST_LOOKS: Final = 10
MEMORY: Final = 0.97
"""Share of what was seen that is kept from look to look: about 7 s."""

STILL_DEG: Final = 0.02
"""Under this movement from look to look there is nothing to measure."""

FLOOR: Final = 1e-9

UNSEEN: Final = "The pose of the head could not be found."
YOUNG: Final = "The head has not been seen long enough, or too seldom, to tell how it moves."
STILL: Final = "The head does not move."
MEASURED: Final = (
    "How evenly the head moves was measured, which differs too little between people and forgeries to tell."
)


class TrembleOfHead:
    """Remembers two poses and two fading sums."""

    cue = "rigidity"

    def __init__(self) -> None:
        self._beat = Beat(GAP_S)
        self._forget()

    def look(self, crop: FaceCrop, _context: Context = NO_CONTEXT, /) -> Evidence:
        """Abstain, with the logarithm of (change of the head's speed) over (its speed) as the measure."""
        if crop.landmarks is None or crop.landmarks.pose is None:
            return abstain(self.cue, crop, UNSEEN)
        step = self._beat.step(crop.media_s)
        if step is Step.ANEW:
            self._forget()
        if step is not Step.PASSED_OVER and np.isfinite(crop.landmarks.pose).all():
            self._take_in(np.asarray(crop.landmarks.pose[:3, :3], np.float64))
        if self._looks < LEAST_LOOKS:
            return abstain(self.cue, crop, YOUNG)
        if self._speed < STILL_DEG**2:
            return abstain(self.cue, crop, STILL)
        return abstain(self.cue, crop, MEASURED, 0.5 * float(np.log((self._change + FLOOR) / self._speed)))

    def _forget(self) -> None:
        self._pose: NDArray[np.float64] | None = None
        self._turn: NDArray[np.float64] | None = None
        self._speed = self._change = 0.0
        self._looks = 0

    def _take_in(self, pose: NDArray[np.float64]) -> None:
        """Fade the squares of the turn since the last look, and of how it differs from the turn before."""
        last, self._pose = self._pose, pose
        if last is None:
            return
        before, self._turn = self._turn, _turn_deg(last, pose)
        if before is None:
            return
        self._looks += 1
        share = max(1.0 / self._looks, 1.0 - MEMORY)
        self._speed += share * (float(self._turn @ self._turn) - self._speed)
        change = self._turn - before
        self._change += share * (float(change @ change) - self._change)


def _turn_deg(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation vector between two poses [3, 3], for the small angles between looks."""
    between = after @ before.T
    axis = np.array([between[2, 1] - between[1, 2], between[0, 2] - between[2, 0], between[1, 0] - between[0, 1]])
    return np.degrees(axis / 2.0)
