# SPDX-License-Identifier: Apache-2.0
"""What the processes of one service say to each other: frozen values, pickled between processes of this program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor.values import Alert, Evidence, WorstLook

if TYPE_CHECKING:  # processes that need none of these are spared them
    from prometheus_client.core import Metric

    from monitor.config import Settings
    from monitor.liveness.detector import Load
    from monitor.publish.events import ParticipantMedia

__all__ = [
    "AlertTold",
    "Answer",
    "CallEnded",
    "CallTold",
    "EngineStart",
    "Forget",
    "IngestStart",
    "ParticipantLeft",
    "Ready",
    "Refused",
    "Report",
    "Rung",
    "Stop",
    "Welcome",
]


@dataclass(frozen=True, slots=True)
class EngineStart:
    """To a new engine process: judge, behind the Unix socket at `path`; `number` counts from 0, for its device."""

    settings: "Settings"
    path: str
    load: "Load | None" = None
    number: int = 0

    @property
    def name(self) -> str:
        """What the process is called in logs and metrics."""
        return "engine" if self.settings.node.engines == 1 else f"engine-{self.number + 1}"


@dataclass(frozen=True, slots=True)
class IngestStart:
    """To a new ingest process: serve HTTP at the Unix socket `path`, judge by the engines at `engines`.

    `key` signs invitations; `number` counts from 1.
    """

    settings: "Settings"
    number: int
    path: str
    engines: tuple[str, ...]
    key: bytes

    @property
    def name(self) -> str:
        """What the process is called in logs and metrics."""
        return f"ingest-{self.number}"


@dataclass(frozen=True, slots=True)
class Stop:
    """To a process: take nothing new, say the last words, end."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What an engine says of itself to who connects; `model` is the name and the SHA-256 of the weights."""

    model: tuple[str, str]
    crop_px: int
    surroundings: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """From a process that has started; from an engine with its `welcome`."""

    welcome: Welcome | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """From a process that cannot start: an error of the tree."""

    code: str
    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class Report:
    """Once a second from every process: who is there, what is unmet of readiness, its metrics."""

    names: frozenset[tuple[str, str]] = frozenset()
    unmet: Mapping[str, str] = field(default_factory=dict)
    families: "Sequence[Metric]" = ()


@dataclass(frozen=True, slots=True)
class Rung:
    """To the engine: the run with this sequence number lies in the ring."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Forget:
    """To the engine: a track has ended, or all of a participant's with None."""

    call: str
    participant: str
    track: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """From the engine: what is found of a look; None for one that was `torn`, or whose batch failed.

    `boundary` uint8 [n, n] as in WorstLook, None where the network had nothing to say.
    """

    sequence: int
    evidence: tuple[Evidence, ...] | None = None
    boundary: NDArray[np.uint8] | None = None
    torn: bool = False


@dataclass(frozen=True, slots=True)
class AlertTold:
    """From an ingest process: a change of an alert, with the worst looks of its face."""

    alert: Alert
    looks: tuple[WorstLook, ...]


@dataclass(frozen=True, slots=True)
class CallTold:
    """From an ingest process: who is in a call."""

    call: str
    participants: "tuple[ParticipantMedia, ...]"


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """From an ingest process: a participant's verdict is over."""

    call: str
    participant: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """From an ingest process: nobody is left in a call."""

    call: str
