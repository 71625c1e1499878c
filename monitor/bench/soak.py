# SPDX-License-Identifier: Apache-2.0
"""A length of time in; whether memory, cost and lag stay level over it, as a table or JSON, out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression, median
from typing import Final

from monitor.bench.probe import Mark
from monitor.bench.result import Result, Way
from monitor.bench.trial import WARM_UP_S, Trial, prepared
from monitor.config import Settings

__all__ = ["Span", "measure", "slope_mib_per_h", "spans"]

MARKS: Final = 60
SHOWN: Final = 6
SECTION: Final = "bench-soak"
HEAD: Final = ("from", "to", "CPU of one core", "event loop late, 99th percentile", "resident memory")
MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the run: its ends in seconds since the first mark, mean CPU, middle lag, memory at the end."""

    from_s: float
    to_s: float
    cpu_percent: float
    lag_p99_s: float
    resident_bytes: int


def spans(marks: Sequence[Mark], parts: int) -> list[Span]:
    """The run in so many parts of as many marks each; fewer when there are fewer marks."""
    each = max(1, (len(marks) - 1) // parts)
    ends = [*range(0, len(marks) - each, each), len(marks) - 1]
    return [_span(marks, first, last) for first, last in pairwise(ends)]


def _span(marks: Sequence[Mark], first: int, last: int) -> Span:
    begin, end, zero_s = marks[first], marks[last], marks[0].at_s
    cpu_s = sum(end.cpu_s.values()) - sum(begin.cpu_s.values())
    return Span(
        from_s=begin.at_s - zero_s,
        to_s=end.at_s - zero_s,
        cpu_percent=100 * cpu_s / (end.at_s - begin.at_s),
        lag_p99_s=median(mark.loop_lag_p99_s for mark in marks[first + 1 : last + 1]),
        resident_bytes=end.resident_bytes,
    )


def slope_mib_per_h(marks: Sequence[Mark]) -> float:
    """What memory gained in an hour over the second half of the run, by least squares."""
    late = marks[len(marks) // 2 :]
    per_s = linear_regression([mark.at_s for mark in late], [mark.resident_bytes for mark in late]).slope
    return per_s * 3600 / MIB


async def measure(
    settings: Settings, *, streams: int, seconds: float, json: bool = False, readme: Path | None = None
) -> int:
    """Watch `streams` callers for `seconds`, and look at the service 60 times meanwhile; returns 0.

    Table to stderr, JSON to stdout; `readme` is a file whose section is rewritten. Raises AssetError without the clip
    or the face model, StartError when a process fails, UsageError for a file without the section's markers.
    """
    way = Way(SECTION, json=json, readme=readme)
    with way.console.status(f"{streams} streams for {seconds:g} s …"):
        async with prepared(settings, streams, seconds) as bench, bench.running("lifesign") as trial:
            marks = await _marks(trial, seconds)
    found, slope = spans(marks, SHOWN), slope_mib_per_h(marks)
    told = f"Over the second half resident memory changed by {slope:+.1f} MiB an hour."
    command = f"lifesign bench soak --streams {streams} --seconds {seconds:g}"
    result = Result(f"{streams} x 480p30 VP8", HEAD, [_row(each) for each in found], command, told)
    way.tell(result, {"spans": [asdict(each) for each in found], "slope_mib_per_h": slope})
    return 0


async def _marks(trial: Trial, seconds: float) -> list[Mark]:
    return [await trial.mark(WARM_UP_S), *[await trial.mark(seconds / MARKS) for _ in range(MARKS)]]


def _row(each: Span) -> Sequence[str]:
    return (
        f"{each.from_s / 60:.0f} min",
        f"{each.to_s / 60:.0f} min",
        f"{each.cpu_percent:.1f} %",
        f"{1000 * each.lag_p99_s:.1f} ms",
        f"{each.resident_bytes / MIB:.0f} MiB",
    )
