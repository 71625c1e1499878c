# SPDX-License-Identifier: Apache-2.0
"""Samples of what a service counts in; what a participant costs, and how many fit, out; pure."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from monitor.load.signs import Sample
from monitor.load.threads import Work

__all__ = ["Cost", "Costs", "Room", "units_of"]

AVERAGE_S: Final = 10.0
"""Time constant of the averages: long beside a look, short beside a call."""

LOOP_CORES: Final = 0.044
DECODE_CORES: Final = 0.061
LOOK_S: Final = 0.058
"""A 480p30 VP8 participant as `lifesign bench` first measured it, looks by the piece. It counts as one participant
among those measured, so on another machine it is soon forgotten."""

PRIOR_PER_S: Final = 2.0
"""Looks a second of that one."""

USUAL_PX: Final = 640 * 480
DECODE_SHARE: Final = DECODE_CORES / (LOOP_CORES + DECODE_CORES + LOOK_S * PRIOR_PER_S)
"""Share of a participant's cost that grows with the picture: faces are sought and judged at one size."""

BESIDE: Final = frozenset({Work.DECODE, Work.OTHER})
LOOKING: Final = frozenset({Work.FACES, Work.LIVENESS, Work.NATIVE})


def units_of(pixels: int) -> float:
    """What a participant with pictures of this size costs, where one of 640 x 480 costs 1, before it is measured."""
    return 1.0 + DECODE_SHARE * (pixels / USUAL_PX - 1.0)


class Cost(NamedTuple):
    """Of one participant at some rate: cores in all, and those of the event loop, of which there is one."""

    cores: float
    loop_cores: float


@dataclass(frozen=True, slots=True)
class Room:
    """What may be used: `cores` in all, and of the one that the event loop has."""

    cores: float
    loop_cores: float

    def holds(self, cost: Cost) -> float:
        """How many participants of this cost fit."""
        return min(self.cores / cost.cores, self.loop_cores / cost.loop_cores)


class Costs:
    """Averages of what participants cost, per unit and per look, so that the cost at any rate can be told."""

    def __init__(self) -> None:
        self._loop = self._beside = self._looking = 0.0
        self._looks_per_s = self._units = 0.0

    def step(self, before: Sample, now: Sample) -> None:
        """Take in what was spent between two samples."""
        seconds = now.at_s - before.at_s
        new = 1.0 - math.exp(-seconds / AVERAGE_S)
        cores = {work: (total_s - before.spent_s.get(work, 0.0)) / seconds for work, total_s in now.spent_s.items()}
        self._loop += new * (cores.get(Work.LOOP, 0.0) - self._loop)
        self._beside += new * (sum(cores.get(work, 0.0) for work in BESIDE) - self._beside)
        self._looking += new * (sum(cores.get(work, 0.0) for work in LOOKING) - self._looking)
        self._looks_per_s += new * ((now.looks - before.looks) / seconds - self._looks_per_s)
        self._units += new * (now.units - self._units)

    def at(self, per_s: float) -> Cost:
        """What one unit costs at so many looks a second."""
        loop = (LOOP_CORES + self._loop) / (1.0 + self._units)
        beside = (DECODE_CORES + self._beside) / (1.0 + self._units)
        look_s = (LOOK_S * PRIOR_PER_S + self._looking) / (PRIOR_PER_S + self._looks_per_s)
        return Cost(loop + beside + look_s * per_s, loop)
