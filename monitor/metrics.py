# SPDX-License-Identifier: Apache-2.0
"""Counters and gauges of the stages in, as small callables; Prometheus text out.

Names have one prefix and base units. No label ever holds a call, participant, track or session.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["STAGES", "Metrics", "Reading", "observe_latency", "timed", "watch_loop"]

PREFIX: Final = "lifesign_"
STAGES: Final = ("faces", "liveness", "policy", "publish")
FORBIDDEN_LABELS: Final = frozenset({"call", "participant", "track", "session"})
STAGE_BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

_stage_seconds = Histogram(
    f"{PREFIX}stage_seconds",
    "Time one frame spends in a stage.",
    ["stage"],
    buckets=STAGE_BUCKETS_S,
    registry=None,
)
_latency_seconds = Histogram(
    f"{PREFIX}frame_to_publish_seconds",
    "From a frame's arrival to its verdict being handed on: alerts on disk, verdicts queued for the broker.",
    buckets=STAGE_BUCKETS_S,
    registry=None,
)
_lag_seconds = Gauge(
    f"{PREFIX}event_loop_lag_seconds",
    "How late the event loop woke up, at worst since the last look.",
    registry=None,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One number of a stage, read when metrics are asked for.

    `name` has no prefix; a name that ends in _total is a counter, another a gauge.
    `read` gives a number, or with `label` a mapping from label values to numbers; it must be quick.
    Raises ValueError for a label that would make a series per call.
    """

    name: str
    description: str
    read: Callable[[], float | Mapping[str, float]]
    label: str = ""

    def __post_init__(self) -> None:
        if self.label in FORBIDDEN_LABELS:
            raise ValueError(f"{self.name}: a label {self.label} makes a series per {self.label}")

    def family(self) -> Metric:
        """The reading's value now."""
        kind = CounterMetricFamily if self.name.endswith("_total") else GaugeMetricFamily
        family = kind(PREFIX + self.name, self.description, labels=[self.label] if self.label else [])
        value = self.read()
        for key, number in value.items() if isinstance(value, Mapping) else [("", value)]:
            family.add_metric([key] if self.label else [], number)
        return family


class Metrics(Collector):
    """Everything GET /metrics shows, in a registry of its own."""

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self._readings = tuple(readings)
        self._registry = CollectorRegistry()
        for collector in (self, _stage_seconds, _latency_seconds, _lag_seconds):
            self._registry.register(collector)
        ProcessCollector(registry=self._registry)

    def collect(self) -> Iterator[Metric]:
        """One family per reading, and the build."""
        yield InfoMetricFamily(f"{PREFIX}build", "What is running.", value={"version": _version()})
        for reading in self._readings:
            yield reading.family()

    def families(self) -> list[Metric]:
        """Everything shown, as values that can be sent to another process."""
        return list(self._registry.collect())

    def text(self) -> bytes:
        """Prometheus text format 0.0.4."""
        return generate_latest(self._registry)


@contextmanager
def timed(stage: str) -> Iterator[None]:
    """Measure one frame's time in a stage, also when the stage raises."""
    start_s = time.perf_counter()
    try:
        yield
    finally:
        _stage_seconds.labels(stage).observe(time.perf_counter() - start_s)


def observe_latency(seconds: float) -> None:
    """Record the time from a frame's arrival to its verdict being handed on."""
    _latency_seconds.observe(seconds)


async def watch_loop(
    period_s: float = 0.1, looks: int = 100, late: Callable[[float], None] = lambda _seconds: None
) -> None:
    """Measure for ever how late the loop wakes up and tell `late`; the gauge shows the worst of the last `looks`."""
    worst: list[float] = []
    while True:
        due_s = time.perf_counter() + period_s
        await asyncio.sleep(period_s)
        worst = [*worst[-looks + 1 :], max(0.0, time.perf_counter() - due_s)]
        late(worst[-1])
        _lag_seconds.set(max(worst))


def _version() -> str:
    try:
        return version("lifesign")
    except PackageNotFoundError:
        return "unknown"
