# SPDX-License-Identifier: Apache-2.0
"""The same callers watched by one process and by several in; what each way costs, as a table or JSON, out."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from monitor.bench.probe import BROKER
from monitor.bench.report import Measure
from monitor.bench.result import Result, Way
from monitor.bench.trial import Bench, prepared
from monitor.config import Settings

__all__ = ["Spread", "measure", "rows"]

COUNTS: Final = (0, 1, 2)
SECTION: Final = "bench-processes"


@dataclass(frozen=True, slots=True)
class Spread:
    """What was measured with `node.processes`."""

    processes: int
    found: Measure

    @property
    def name(self) -> str:
        """As the head of a column."""
        return f"{self.processes} + engine" if self.processes else "one process"

    @property
    def main_percent(self) -> float:
        """The first process without its broker, percent of a core per stream."""
        return sum(self.found.cpu_percent.values()) - self.found.cpu_percent[BROKER]


async def measure(
    settings: Settings, *, streams: int, seconds: float, json: bool = False, readme: Path | None = None
) -> int:
    """Measure one process, then an engine process with one ingest process and with two; returns 0.

    All of a program's processes are pinned to one core, so that what is measured is what the way between them costs.
    Table to stderr, JSON to stdout; `readme` is a file whose section is rewritten. Raises AssetError without the clip
    or the face model, StartError when a process fails, UsageError for a file without the section's markers.
    """
    way = Way(SECTION, json=json, readme=readme)
    async with prepared(settings, streams, seconds) as bench:
        found = [await _spread(bench, count, way) for count in COUNTS]
    command = f"lifesign bench processes --streams {streams} --seconds {seconds:g}"
    head = (f"{streams} × 480p30 VP8", *(each.name for each in found))
    way.tell(Result("processes on one core", head, rows(found), command), [_document(each) for each in found])
    return 0


async def _spread(bench: Bench, count: int, way: Way) -> Spread:
    with way.console.status(f"node.processes: {count} …"):
        return Spread(count, await bench.over(count).measure("lifesign"))


def rows(found: Sequence[Spread]) -> list[tuple[str, ...]]:
    """The table, a column for each way; the first is what the others are held against."""
    kinds = dict.fromkeys(kind for each in found for kind in each.found.processes_percent)
    base = found[0].found.cpu_ms_per_look

    def row(name: str, read: Callable[[Spread], float | None], unit: str, digits: int = 1) -> tuple[str, ...]:
        values = (read(each) for each in found)
        return (name, *("–" if value is None else f"{value:,.{digits}f} {unit}".strip() for value in values))

    def of(kind: str) -> Callable[[Spread], float | None]:
        return lambda each: each.found.processes_percent.get(kind)

    return [
        row("CPU of one core per stream", lambda each: each.found.cpu_total_percent, "%"),
        row("– main process", lambda each: each.main_percent, "%"),
        *(row(f"– {kind}", of(kind), "%") for kind in kinds),
        row("– broker", lambda each: each.found.cpu_percent[BROKER], "%"),
        row("frames looked at per second and stream", lambda each: each.found.looked_per_s, ""),
        row("CPU per frame looked at", lambda each: each.found.cpu_ms_per_look, "ms"),
        row("beside one process", lambda each: _times(each.found.cpu_ms_per_look, base), "×", 2),
        row("frame to verdict, median", lambda each: _ms(each.found.latency_p50_s), "ms", 0),
        row("frame to verdict, 99th percentile", lambda each: _ms(each.found.latency_p99_s), "ms", 0),
        row("resident memory, shared pages in each", lambda each: each.found.resident_late_bytes / 2**20, "MiB", 0),
    ]


def _times(value: float | None, base: float | None) -> float | None:
    return value / base if value and base else None


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


def _document(each: Spread) -> dict[str, object]:
    return {"processes": each.processes, **asdict(each.found)}
