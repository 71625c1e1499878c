# SPDX-License-Identifier: Apache-2.0
"""Shares of a core in; how late verdicts are when the service uses that much, as a table or JSON, out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from monitor.bench.report import Measure
from monitor.bench.result import Result, Way
from monitor.bench.trial import Bench, prepared
from monitor.config import Settings

__all__ = ["LOADS", "Loaded", "measure", "streams_for"]

LOADS: Final = (0.5, 0.8)
SECTION: Final = "bench-latency"
HEAD: Final = ("aimed at", "streams", "load of the core", "frame to verdict, median", "99th percentile")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The delays of verdicts with so many streams; `load` is the share of the core that they took."""

    aim: float
    streams: int
    load: float
    p50_s: float | None
    p99_s: float | None


def streams_for(load: float, percent: float) -> int:
    """How many streams come nearest to a load of one core when each takes `percent` of it; one at least."""
    return max(1, round(100 * load / percent))


async def measure(settings: Settings, *, seconds: float, json: bool = False, readme: Path | None = None) -> int:
    """Measure what a stream costs, then the delays with as many as come nearest to each load; returns 0.

    Table to stderr, JSON to stdout; `readme` is a file whose section is rewritten. Raises AssetError without the clip
    or the face model, StartError when a process fails, UsageError for a file without the section's markers.
    """
    way = Way(SECTION, json=json, readme=readme)
    with way.console.status(f"{len(LOADS) + 1} trials of {seconds:g} s …"):
        async with prepared(settings, 1, seconds) as bench:
            found = await _loaded(bench)
    command = f"lifesign bench latency --seconds {seconds:g}"
    rows = [_row(each) for each in found]
    way.tell(Result("verdicts of 480p30 VP8 under load", HEAD, rows, command), [asdict(each) for each in found])
    return 0


async def _loaded(bench: Bench) -> list[Loaded]:
    alone = await bench.measure("lifesign")
    found = []
    for aim in LOADS:
        streams = streams_for(aim, alone.cpu_total_percent)
        found.append(_told(aim, streams, await bench.of(streams).measure("lifesign")))
    return found


def _told(aim: float, streams: int, found: Measure) -> Loaded:
    return Loaded(aim, streams, streams * found.cpu_total_percent / 100, found.latency_p50_s, found.latency_p99_s)


def _row(each: Loaded) -> Sequence[str]:
    delays = ("–" if late_s is None else f"{1000 * late_s:.0f} ms" for late_s in (each.p50_s, each.p99_s))
    return (f"{each.aim:.0%}", str(each.streams), f"{each.load:.0%}", *delays)
