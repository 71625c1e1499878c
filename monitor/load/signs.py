# SPDX-License-Identifier: Apache-2.0
"""Two samples of what a service counts in; how near it is to being overloaded, by sign, out; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from monitor.load.threads import Work

__all__ = ["AGE_S", "DROPPED", "LAG_S", "Sample", "Sign", "signs"]

LAG_S: Final = 0.1
"""A loop this late uses up most of the 150 ms that a lost packet is waited for: packets that came count as lost."""

AGE_S: Final = 0.5
"""A verdict that comes half a second after its picture is behind live, and behind the next of two looks a second."""

DROPPED: Final = 0.2
"""With every fifth look replaced before its turn, the next lower rate is what is being kept already."""


class Sign(StrEnum):
    """What tells of overload."""

    PROCESSOR = "processor"
    LOOP = "loop"
    LAG = "lag"
    AGE = "age"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Sample:
    """What was counted up to `at_s` (monotonic), wherever it was counted.

    `spent_s` is processor time by work, `looks` those judged, `aged_s` the sum of the ages their pictures had by then,
    `picked` and `dropped` the pictures that were to be looked at and those replaced by a newer one: totals that only
    grow. `lag_s` is how late the event loop woke up, at worst, since the sample before. `participants` are watched now,
    and count as `units` of a 480p participant.
    """

    at_s: float
    spent_s: Mapping[Work, float] = field(default_factory=dict)
    looks: int = 0
    aged_s: float = 0.0
    picked: int = 0
    dropped: int = 0
    lag_s: float = 0.0
    participants: int = 0
    units: float = 0.0


def signs(before: Sample, now: Sample, cores: float, budget: float) -> dict[Sign, float]:
    """Each sign as a share of what it may be, above 1 when overloaded; `budget` is a share of `cores`.

    The loop is one thread, so it may use its budget of one core and no more, however many there are.
    """
    seconds = now.at_s - before.at_s
    spent_s = {work: total_s - before.spent_s.get(work, 0.0) for work, total_s in now.spent_s.items()}
    looks, picked = now.looks - before.looks, now.picked - before.picked
    return {
        Sign.PROCESSOR: sum(spent_s.values()) / (seconds * cores * budget),
        Sign.LOOP: spent_s.get(Work.LOOP, 0.0) / (seconds * budget),
        Sign.LAG: now.lag_s / LAG_S,
        Sign.AGE: (now.aged_s - before.aged_s) / looks / AGE_S if looks else 0.0,
        Sign.DROPPED: (now.dropped - before.dropped) / picked / DROPPED if picked else 0.0,
    }
