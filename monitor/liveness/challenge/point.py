# SPDX-License-Identifier: Apache-2.0
"""Crops in, whether eyes and head follow a point that jumps about the screen out.

Eyes that follow a point nobody could foresee (Ali, Deravi and Hoque 2012, EST: liveness detection using gaze
collinearity).

Measured: random paths laid over 800 stretches of 9 s of 20 bona fide people who followed nothing: the lesser of the
correlations across and down is 0.35 in one of 100 and 0.51 at most; forged clips the same. No film of people who do
follow a point was at hand: how many of them pass is not known, so that not to follow is weak evidence.
"""

from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.liveness.challenge.following import Following, Pairs, Step
from monitor.liveness.challenge.pose import gaze
from monitor.liveness.challenge.task import Finding, Shown
from monitor.values import ChallengeState, FaceCrop

__all__ = ["FollowedPoint", "point"]

PLACES: Final = (0.05, 0.5, 0.95)
STEPS: Final = 10
STEP_S: Final = (0.9, 1.4)

PASSED: Final = 0.6
NOT_FOLLOWED: Final = 0.35

WORDS: Final = "Follow the point with your eyes; you may move your head. It is now {}."
ACROSS: Final = {0.05: "left", 0.5: "in the middle", 0.95: "right"}
DOWN: Final = {0.05: "top", 0.5: "centre", 0.95: "bottom"}


class FollowedPoint:
    """Direction of the gaze, to the participant's own left and up."""

    def read(self, crop: FaceCrop) -> Pairs | None:
        """Head and eyes together."""
        return gaze(crop)

    def likeness(self, targets: Pairs, readings: Pairs, times_s: NDArray[np.float64]) -> float:
        """The lesser of the correlations across and down: both must follow."""
        shown, read = targets - targets.mean(axis=0), readings - readings.mean(axis=0)
        lengths = np.maximum(np.linalg.norm(shown, axis=0) * np.linalg.norm(read, axis=0), 1e-9)
        return float(((shown * read).sum(axis=0) / lengths).min())

    def judge(self, in_time: float, late: float, lag_s: float, readings: Pairs) -> Finding:
        """Passed when both directions follow; failed when they are as in people who follow nothing, or too late."""
        measured = {"following_in_time": in_time, "following_late": late, "lag_s": lag_s}
        measured = {name: round(value, 3) for name, value in measured.items()}
        if in_time >= PASSED:
            return Finding(ChallengeState.PASSED, "The eyes followed the point.", measured)
        if late >= PASSED:
            return Finding(ChallengeState.FAILED, "The eyes followed the point later than people do.", measured)
        if in_time < NOT_FOLLOWED:
            return Finding(ChallengeState.FAILED, "The eyes did not follow the point.", measured)
        return Finding(ChallengeState.INCONCLUSIVE, "It is not certain that the eyes followed the point.", measured)


def point(random: Random) -> Following:
    """A path of STEPS places out of nine, no two alike in a row, each for a random time."""
    steps: list[Step] = []
    at_s, last = 0.0, (0.5, 0.5)
    for _ in range(STEPS):
        last = random.choice([(x, y) for x in PLACES for y in PLACES if (x, y) != last])
        x, y = last
        name = f"{DOWN[y]} {ACROSS[x]}"
        # Right on the screen is the participant's own right, which the gaze counts below zero.
        steps.append(Step(at_s, (0.5 - x, 0.5 - y), name, Shown(WORDS.format(name), point=last)))
        at_s += random.uniform(*STEP_S)
    return Following(FollowedPoint(), steps, at_s)
