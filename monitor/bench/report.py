# SPDX-License-Identifier: Apache-2.0
"""Marks and verdicts heard in; measures, a table of ratios and a section of the README out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from monitor.bench.probe import STAGES, Mark, percentile
from monitor.bench.section import section

__all__ = ["HEAD", "Heard", "Measure", "Row", "markdown", "measured", "ratios", "rows"]

FULL: Final = 0.8
"""The share of a core that can be planned with: beyond it delays grow."""

LAG_WINDOW_S: Final = 2.0
"""The lag at a moment is the median delay of the verdicts heard this long before it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A verdict that reached a subscriber at `at_s` (monotonic) about the frame of `media_s`."""

    at_s: float
    participant: str
    media_s: float


@dataclass(frozen=True, slots=True)
class Measure:
    """What a program cost and did between the first mark and the last; None where nothing was heard.

    `cpu_percent` is of one core, per stream, that of the first process; `processes_percent` that of others. Rates are
    per stream. The delays run from the moment a frame was due at the caller to its verdict at a subscriber;
    `caller_late_p99_s` says how far the caller itself was behind.
    """

    cpu_percent: Mapping[str, float]
    received_per_s: float
    looked_per_s: float
    judged_per_s: float
    verdicts: int
    latency_p50_s: float | None
    latency_p99_s: float | None
    early_s: float
    late_s: float
    lag_early_s: float | None
    lag_late_s: float | None
    resident_early_bytes: int
    resident_late_bytes: int
    loop_lag_p99_s: float
    caller_late_p99_s: float
    processes_percent: Mapping[str, float] = field(default_factory=dict)

    @property
    def cpu_total_percent(self) -> float:
        """All stages and processes together."""
        return sum(self.cpu_percent.values()) + sum(self.processes_percent.values())

    @property
    def streams_per_core(self) -> float | None:
        """How many such streams a core holds at `FULL` of its time, were each as dear as these."""
        return 100 * FULL / self.cpu_total_percent if self.cpu_total_percent else None

    @property
    def cpu_ms_per_look(self) -> float | None:
        """CPU time for each frame looked at, everything included."""
        return 10.0 * self.cpu_total_percent / self.looked_per_s if self.looked_per_s else None


def measured(
    marks: Sequence[Mark], began_s: Mapping[str, float], heard: Sequence[Heard], caller_late_p99_s: float
) -> Measure:
    """Put together three marks, the time at which each participant's first frame was due, and all verdicts heard.

    A verdict heard again (the publisher refreshes what the broker retains) counts once, when it was new.
    """
    first, early, last = marks
    span_s = (last.at_s - first.at_s) * len(began_s)
    late_s = {each: each.at_s - began_s[each.participant] - each.media_s for each in _news(heard)}
    within = [seconds for each, seconds in late_s.items() if first.at_s <= each.at_s <= last.at_s]
    return Measure(
        cpu_percent={stage: 100 * (last.cpu_s[stage] - first.cpu_s[stage]) / span_s for stage in STAGES},
        processes_percent={
            kind: 100 * (spent - first.processes_s[kind]) / span_s for kind, spent in last.processes_s.items()
        },
        received_per_s=(last.received - first.received) / span_s,
        looked_per_s=(last.looked - first.looked) / span_s,
        judged_per_s=(last.judged - first.judged) / span_s,
        verdicts=len(within),
        latency_p50_s=percentile(within, 0.5) if within else None,
        latency_p99_s=percentile(within, 0.99) if within else None,
        early_s=early.at_s - first.at_s,
        late_s=last.at_s - first.at_s,
        lag_early_s=_lag_s(late_s, early.at_s),
        lag_late_s=_lag_s(late_s, last.at_s),
        resident_early_bytes=early.resident_bytes,
        resident_late_bytes=last.resident_bytes,
        loop_lag_p99_s=max(early.loop_lag_p99_s, last.loop_lag_p99_s),
        caller_late_p99_s=caller_late_p99_s,
    )


def _news(heard: Sequence[Heard]) -> list[Heard]:
    news: dict[tuple[str, float], Heard] = {}
    for each in heard:
        news.setdefault((each.participant, each.media_s), each)
    return list(news.values())


def _lag_s(late_s: Mapping[Heard, float], at_s: float) -> float | None:
    recent = [seconds for each, seconds in late_s.items() if at_s - LAG_WINDOW_S <= each.at_s <= at_s]
    return percentile(recent, 0.5) if recent else None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the plain loop's value, then those of others, each with how many times it is the other."""

    name: str
    cells: tuple[str, ...]


def rows(plain: Measure, *others: Measure) -> list[Row]:
    """The table, in the order in which it is read."""

    def row(name: str, read: Callable[[Measure], float | None], unit: str, digits: int) -> Row:
        slow = read(plain)
        pairs = ((_text(read(each), unit, digits), _times(slow, read(each))) for each in others)
        return Row(name, (_text(slow, unit, digits), *(cell for pair in pairs for cell in pair)))

    early, late = f"after {plain.early_s:.0f} s", f"after {plain.late_s:.0f} s"
    stages = [row(f"– {stage}", _stage(stage), "%", 2) for stage in STAGES]
    return [
        row("CPU of one core per stream", lambda each: each.cpu_total_percent, "%", 1),
        *stages,
        row(f"streams per core at {FULL:.0%} of it", lambda each: each.streams_per_core, "", 1),
        row("CPU per frame looked at", lambda each: each.cpu_ms_per_look, "ms", 1),
        row("frames taken per second and stream", lambda each: each.received_per_s, "", 1),
        row("frames looked at", lambda each: each.looked_per_s, "", 1),
        row("faces judged", lambda each: each.judged_per_s, "", 1),
        row("verdicts heard over MQTT", lambda each: each.verdicts, "", 0),
        row("frame to verdict, median", lambda each: _ms(each.latency_p50_s), "ms", 0),
        row("frame to verdict, 99th percentile", lambda each: _ms(each.latency_p99_s), "ms", 0),
        row(f"behind live {early}", lambda each: _ms(each.lag_early_s), "ms", 0),
        row(f"behind live {late}", lambda each: _ms(each.lag_late_s), "ms", 0),
        row(f"resident memory {early}", lambda each: each.resident_early_bytes / 2**20, "MiB", 0),
        row(f"resident memory {late}", lambda each: each.resident_late_bytes / 2**20, "MiB", 0),
        row("event loop late, 99th percentile", lambda each: _ms(each.loop_lag_p99_s), "ms", 1),
        row("caller itself late, 99th percentile", lambda each: _ms(each.caller_late_p99_s), "ms", 1),
    ]


def ratios(plain: Measure, lifesign: Measure) -> dict[str, float | None]:
    """How many times the plain loop's cost is Lifesign's; None where there is nothing to divide."""
    pairs = {
        "cpu": (plain.cpu_total_percent, lifesign.cpu_total_percent),
        "latency_p50": (plain.latency_p50_s, lifesign.latency_p50_s),
        "latency_p99": (plain.latency_p99_s, lifesign.latency_p99_s),
        "lag": (plain.lag_late_s, lifesign.lag_late_s),
        "resident": (plain.resident_late_bytes, lifesign.resident_late_bytes),
    }
    return {name: None if math.isnan(times := _ratio(*pair)) else times for name, pair in pairs.items()}


HEAD: Final = ("", "plain loop", "Lifesign", "plain / Lifesign", "Lifesign, L1T3", "plain / Lifesign, L1T3")

NOTES: Final = """\
Both programs watch the same callers one after the other: 480p30 VP8, encoded beforehand, looped without a seam. The
program under test and its broker are pinned to one core, the callers and the MQTT subscriber to another. The plain
loop is what one would write first: it takes every frame (`await track.recv()`), gives as many a second as Lifesign
looks at to MediaPipe's landmarker and then to the same network, and publishes what each one says with aiomqtt,
without tracks, cues, policy or outbox; Lifesign is the service as it ships, with the same callers and with callers
that send the clip in three temporal layers, which nothing changes for a loop that decodes every picture. CPU time is
that of the threads, *native* ones being MediaPipe's own. A delay runs from the moment a frame was due at the caller
to its verdict at the subscriber."""
"""What a reader needs to know of the method."""


def markdown(table: Sequence[Row], command: str, machine: Mapping[str, str]) -> str:
    """The section of the README."""
    found = section(HEAD, [(row.name, *row.cells) for row in table], command, machine)
    return f"{found}\n\n{NOTES}"


def _stage(stage: str) -> Callable[[Measure], float]:
    return lambda measure: measure.cpu_percent[stage]


def _text(value: float | None, unit: str, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f} {unit}".strip()


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds


def _ratio(plain: float | None, lifesign: float | None) -> float:
    return math.nan if not plain or not lifesign else plain / lifesign


def _times(plain: float | None, lifesign: float | None) -> str:
    ratio = _ratio(plain, lifesign)
    return "" if math.isnan(ratio) else f"{ratio:.3g} ×"
