# SPDX-License-Identifier: Apache-2.0
"""Names of cues from the configuration in, a maker of one face's signals out."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from monitor.config import CueName
from monitor.liveness.signals import synchrony
from monitor.liveness.signals.blink import RareBlink
from monitor.liveness.signals.change import FaceChange
from monitor.liveness.signals.frozen import FrozenFace
from monitor.liveness.signals.injected import InjectedStream
from monitor.liveness.signals.looped import LoopedFace
from monitor.liveness.signals.parallax import FlatFace
from monitor.liveness.signals.pulse import SkinPulse
from monitor.liveness.signals.replay import ready_replay
from monitor.liveness.signals.rigidity import TrembleOfHead
from monitor.liveness.signals.signal import Signal

__all__ = ["CUES", "MakeSignal", "MakeSignals", "ready"]

MakeSignal = Callable[[], Signal]
MakeSignals = Callable[[], tuple[Signal, ...]]

CUES: Final[Mapping[CueName, Callable[[], MakeSignal]]] = MappingProxyType(
    {
        "blink": lambda: RareBlink,
        "change": lambda: FaceChange,
        "frozen": lambda: FrozenFace,
        "injected": lambda: InjectedStream,
        "looped": lambda: LoopedFace,
        "parallax": lambda: FlatFace,
        "pulse": lambda: SkinPulse,
        "rigidity": lambda: TrembleOfHead,
        "synchrony": synchrony.ready,
        "replay": ready_replay,
    }
)
"""Readies a cue once per process, its weights read if it has any, and gives what makes the signal of each new face."""


def ready(names: Sequence[CueName]) -> MakeSignals:
    """Ready the named cues, in the order of CUES; raises ModelError for weights that must not be used."""
    makers = tuple(prepare() for name, prepare in CUES.items() if name in names)
    return lambda: tuple(make() for make in makers)
