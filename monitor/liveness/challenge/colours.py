# SPDX-License-Identifier: Apache-2.0
"""Crops in, whether the face is lit by the colours that the participant's screen shows, in their order, out.

A screen lights the face before it; a picture made elsewhere does not know the sequence. Method: Tang et al. 2018,
NDSS, Face Flashing; Gerstner and Farid 2022, CVPRW, detecting real-time deep-fake videos using active illumination.
Steps last longer than a second, far below the three flashes a second that may harm (WCAG 2.2, 2.3.1).

Measured: random sequences laid over 800 stretches of 9 s of 20 bona fide people, and 4,840 stretches of forged clips,
none of which followed anything: best correlation in time 0.55 and 0.74 at most, 99.9 % under 0.53 and, in the worst
label, 0.66. With 2 % of the light on the same bona fide faces coloured by the sequence 78 % reach 0.7 and 88 % reach
0.6; with 5 %, nearly all; with 1 %, 30 and 57 %. How much of the light a screen gives was not measured: in a bright
room too little, which is inconclusive and never failed.
"""

from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.liveness.challenge.following import Following, Pairs, Step
from monitor.liveness.challenge.task import Finding, Shown, inconclusive
from monitor.values import ChallengeState, FaceCrop

__all__ = ["ReflectedColours", "colours"]

COLOURS: Final = {"red": ("#ff2020", (1.0, 0.0)), "green": ("#20ff20", (-1.0, -1.0)), "blue": ("#2020ff", (0.0, 1.0))}
"""What is shown, and what it does to red over green and blue over green."""

STEPS: Final = 8
STEP_S: Final = (1.2, 1.8)

PASSED: Final = 0.65
UNNATURAL: Final = 0.08
"""Colour of bona fide faces wanders by 0.013 at the median and 0.038 at the 99th percentile (standard deviation in
natural logarithms of the ratios, trend removed); twice that is light that changed, though not as the screen did."""

GAMMA: Final = 2.2
MIDDLE: Final = (slice(30, 80), slice(25, 75))
"""Per cent of the crop, down and across, that is face."""

WORDS: Final = "Face the screen and keep still while it changes its colour. It is now {}."


class ReflectedColours:
    """Ratios of the colours of the face, in natural logarithms: red over green and blue over green."""

    def read(self, crop: FaceCrop) -> Pairs | None:
        """Mean light of the middle of the crop, linear."""
        down, across = (slice(part.start * len(crop.rgb) // 100, part.stop * len(crop.rgb) // 100) for part in MIDDLE)
        light = (LINEAR[crop.rgb[down, across]]).mean(axis=(0, 1)) + 1e-4
        red, green, blue = np.log(light).tolist()
        return np.array([red - green, blue - green])

    def likeness(self, targets: Pairs, readings: Pairs, times_s: NDArray[np.float64]) -> float:
        """Correlation of both ratios together, less the slow drift of a camera's white balance."""
        shown, read = _detrended(targets, times_s), _detrended(readings, times_s)
        return float((shown * read).sum() / max(float(np.linalg.norm(shown) * np.linalg.norm(read)), 1e-9))

    def judge(self, in_time: float, late: float, lag_s: float, readings: Pairs) -> Finding:
        """Passed by the reflection in time; failed by another one; inconclusive without any."""
        wander = float(np.sqrt(np.square(readings - readings.mean(axis=0)).sum(axis=1).mean()))
        measured = {"reflection_in_time": in_time, "reflection_late": late, "lag_s": lag_s, "colour_change": wander}
        measured = {name: round(value, 3) for name, value in measured.items()}
        if in_time >= PASSED:
            return Finding(ChallengeState.PASSED, "The colours of the screen are reflected by the face.", measured)
        if late >= PASSED:
            sentence = "The face followed the colours of the screen later than reflected light can."
            return Finding(ChallengeState.FAILED, sentence, measured)
        if wander >= UNNATURAL:
            sentence = "The light on the face changed its colour, but not as the screen did."
            return Finding(ChallengeState.FAILED, sentence, measured)
        nothing = inconclusive("No light of the screen is seen on the face; the room may be too bright.")
        return Finding(nothing.state, nothing.sentence, measured)


LINEAR: Final = ((np.arange(256) / 255.0) ** GAMMA).astype(np.float32)


def colours(random: Random) -> Following:
    """A sequence of STEPS colours, no two alike in a row, each for a random time."""
    steps: list[Step] = []
    at_s, last = 0.0, ""
    for _ in range(STEPS):
        last = random.choice([name for name in COLOURS if name != last])
        code, target = COLOURS[last]
        steps.append(Step(at_s, target, last, Shown(WORDS.format(last), colour=code)))
        at_s += random.uniform(*STEP_S)
    return Following(ReflectedColours(), steps, at_s)


def _detrended(pairs: Pairs, times_s: NDArray[np.float64]) -> Pairs:
    trend = np.stack([np.ones_like(times_s), times_s], axis=1)
    return np.asarray(pairs - trend @ np.linalg.lstsq(trend, pairs, rcond=None)[0])
