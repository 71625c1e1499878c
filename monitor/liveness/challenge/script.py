# SPDX-License-Identifier: Apache-2.0
"""An order for a challenge and a seed in, the task out; the same seed gives the same task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from models.digits.recogniser import installed
from monitor.liveness.challenge.asking import Asking
from monitor.liveness.challenge.colours import colours
from monitor.liveness.challenge.cover import CoveredEye
from monitor.liveness.challenge.digits import digits
from monitor.liveness.challenge.point import point
from monitor.liveness.challenge.task import Task
from monitor.liveness.challenge.turn import TURN_DEG, HeadTurn
from monitor.values import ChallengeKind

__all__ = ["Order", "make_task", "possible"]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be asked: `directions` and `angle_deg` are those of `turn_head`; none are drawn at random."""

    kind: ChallengeKind
    directions: tuple[str, ...] = ()
    angle_deg: float = TURN_DEG


def possible(kind: ChallengeKind) -> bool:
    """Whether it can be judged here: digits need the recogniser of the extra `speech`."""
    return kind is not ChallengeKind.SAY_DIGITS or installed()


def make_task(order: Order, seed: int) -> Task:
    """The task of an order; all that is left to chance is drawn from the seed."""
    return TASKS[order.kind](order, Random(seed))  # noqa: S311  # the seed itself comes from `secrets`


TASKS: Final[Mapping[ChallengeKind, Callable[[Order, Random], Task]]] = {
    ChallengeKind.TURN_HEAD: lambda order, random: Asking(HeadTurn(order.angle_deg), random, fixed=order.directions),
    ChallengeKind.COVER_FACE: lambda _, random: Asking(CoveredEye(), random),
    ChallengeKind.FOLLOW_POINT: lambda _, random: point(random),
    ChallengeKind.COLOURS: lambda _, random: colours(random),
    ChallengeKind.SAY_DIGITS: lambda _, random: digits(random),
}
