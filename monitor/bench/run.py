# SPDX-License-Identifier: Apache-2.0
"""A subject and the user's options in; its benchmark runs, and the exit code goes out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monitor.bench import engine, growth, latency, look, loss, processes, receive, ring, soak
from monitor.bench.comparison import compare
from monitor.bench.subject import Subject
from monitor.config import Settings

__all__ = ["Order", "run"]


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for; subjects that have no use for one of the options leave it."""

    settings: Settings
    streams: int
    seconds: float
    json: bool
    readme: Path | None
    profile: bool = False

    @property
    def way(self) -> dict[str, Any]:
        """Where the result goes."""
        return {"json": self.json, "readme": self.readme}

    @property
    def timed(self) -> dict[str, Any]:
        """And for how long it is measured."""
        return {"seconds": self.seconds, **self.way}

    @property
    def crowded(self) -> dict[str, Any]:
        """And with how many streams."""
        return {"streams": self.streams, **self.timed}


SUBJECTS: Final[Mapping[Subject, Callable[[Order], Awaitable[int]]]] = {
    Subject.SERVICE: lambda order: compare(order.settings, **order.crowded),
    Subject.LATENCY: lambda order: latency.measure(order.settings, **order.timed),
    Subject.GROWTH: lambda order: growth.measure(order.settings, **order.timed),
    Subject.SOAK: lambda order: soak.measure(order.settings, **order.crowded),
    Subject.RECEIVE: lambda order: receive.measure(profile=order.profile, **order.crowded),
    Subject.LOSS: lambda order: loss.measure(**order.way),
    Subject.LOOK: lambda order: asyncio.to_thread(look.measure, **order.way),
    Subject.ENGINE: lambda order: engine.benchmark(order.settings, **order.timed),
    Subject.RING: lambda order: ring.measure(**order.timed),
    Subject.PROCESSES: lambda order: processes.measure(order.settings, **order.crowded),
}


async def run(what: Subject, order: Order) -> int:
    """Measure one subject; see the modules for what each raises."""
    return await SUBJECTS[what](order)
