# SPDX-License-Identifier: Apache-2.0
"""Numbers of streams in; what each of so many costs in CPU time and memory, as a table or JSON, out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from monitor.bench.result import Result, Way
from monitor.bench.trial import WARM_UP_S, Bench, prepared
from monitor.config import Settings

__all__ = ["COUNTS", "Crowd", "measure", "thinned"]

COUNTS: Final = (0, 1, 10, 50, 100)
SIZE_PX: Final = (320, 240)
PER_S: Final = 2
LOOKS_PER_S: Final = 0.05
"""Thin streams: a hundred whole ones fit no core, and what is asked is whether the last costs what the first did."""

FULL_PERCENT: Final = 95.0
"""A service that takes this much of its core leaves work undone: what a stream costs cannot be told."""

SECTION: Final = "bench-growth"
HEAD: Final = ("streams", "CPU of one core", "above idle, per stream", "resident memory", "above idle, per stream")


@dataclass(frozen=True, slots=True)
class Crowd:
    """What the service used with so many streams: `cpu_percent` of one core."""

    streams: int
    cpu_percent: float
    resident_bytes: int


def thinned(settings: Settings) -> Settings:
    """The same settings with fewer looks."""
    return settings.model_copy(
        update={"capture": settings.capture.model_copy(update={"samples_per_s": LOOKS_PER_S, "adaptive": False})}
    )


async def measure(settings: Settings, *, seconds: float, json: bool = False, readme: Path | None = None) -> int:
    """Measure the service idle and with 1, 10, 50 and 100 thin streams, one after the other; returns 0.

    Table to stderr, JSON to stdout; `readme` is a file whose section is rewritten. Raises AssetError without the clip
    or the face model, StartError when a process fails, UsageError for a file without the section's markers.
    """
    way = Way(SECTION, json=json, readme=readme)
    found = []
    async with prepared(thinned(settings), 0, seconds, SIZE_PX, PER_S) as bench:
        for streams in COUNTS:
            with way.console.status(f"{streams} streams …"):
                found.append(await _crowd(bench.of(streams)))
    title = f"streams of 320x240 VP8, {PER_S} pictures/s, {LOOKS_PER_S} looks/s"
    rows = [_row(each, found[0]) for each in found]
    command = f"lifesign bench growth --seconds {seconds:g}"
    way.tell(Result(title, HEAD, rows, command), [asdict(each) for each in found])
    return 0


async def _crowd(bench: Bench) -> Crowd:
    async with bench.running("lifesign") as trial:
        before, after = await trial.mark(2 * WARM_UP_S), await trial.mark(bench.seconds)
    spent_s = sum(after.cpu_s.values()) - sum(before.cpu_s.values())
    return Crowd(bench.streams, 100 * spent_s / (after.at_s - before.at_s), after.resident_bytes)


def _row(each: Crowd, idle: Crowd) -> Sequence[str]:
    total = (f"{each.cpu_percent:.2f} %", f"{each.resident_bytes / 2**20:.0f} MiB")
    if not each.streams:
        return ("idle", total[0], "", total[1], "")
    cpu = f"{(each.cpu_percent - idle.cpu_percent) / each.streams:.2f} %"
    memory = (each.resident_bytes - idle.resident_bytes) / each.streams / 2**20
    told = "the core is full" if each.cpu_percent >= FULL_PERCENT else cpu
    return (str(each.streams), total[0], told, total[1], f"{memory:.1f} MiB")
