# SPDX-License-Identifier: Apache-2.0
"""Marks of a receiving process in; what a stream costs on each path, as rows of tables, out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from monitor.bench.probe import FPS

__all__ = [
    "FULL_PERCENT",
    "HEAD",
    "KINDS",
    "LOOP",
    "Cost",
    "Kind",
    "Trial",
    "cost_row",
    "percent",
    "trial_of",
]

FULL_PERCENT: Final = 70
"""A core that is fuller than this is late at times."""

BEHIND: Final = 0.95
"""A path that receives less than this share of the pictures sent has fallen behind."""

HEAD: Final = (
    "",
    "recv() loop",
    "plain",
    "tap",
    "decoding alone",
    "loop / tap",
    "tap / decoding",
    "streams a core: loop",
    "tap",
    "late p50 / p99: loop",
    "tap",
)
NONE: Final = "–"
LOOP: Final = "network and loop"


@dataclass(frozen=True, slots=True)
class Kind:
    """A stream as it is sent, 30 pictures/s."""

    name: str
    width_px: int
    height_px: int
    codec: str = "vp8"
    layered: bool = False

    @property
    def plain(self) -> bool:
        """Whether aiortc can decode it."""
        return self.codec in {"vp8", "h264"}

    def streams(self, of_480p: int) -> int:
        """How many to receive at once: of 720p, which costs twice as much, half as many."""
        return of_480p if self.height_px <= 480 else max(1, of_480p // 2)


KINDS: Final = (
    Kind("480p VP8", 640, 480),
    Kind("480p VP8 L1T3", 640, 480, layered=True),
    Kind("480p H.264", 640, 480, codec="h264"),
    Kind("720p VP8", 1280, 720),
    Kind("720p VP8 L1T3", 1280, 720, layered=True),
    Kind("720p H.264", 1280, 720, codec="h264"),
    Kind("480p VP9", 640, 480, codec="vp9"),
    Kind("480p VP9 L1T3", 640, 480, codec="vp9", layered=True),
    Kind("480p AV1 L1T3", 640, 480, codec="av1", layered=True),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One path for a while, by picture sent: CPU milliseconds by stage, wake-ups of all threads, samples by cause.

    `late_ms` are the median and the 99th percentile, None without a picture; `rate` is pictures a second and stream.
    """

    cpu_ms: Mapping[str, float]
    wakes: float
    causes: Mapping[str, int]
    late_ms: tuple[float, float] | None
    rate: float
    empty_wake_ms: float

    @property
    def total_ms(self) -> float:
        """All stages together."""
        return sum(self.cpu_ms.values())


def trial_of(before: Mapping[str, Any], after: Mapping[str, Any], streams: int, empty_wake_ms: float) -> Trial:
    """What happened between two answers of `monitor.bench.receiver`."""
    first, last = before["mark"], after["mark"]
    pictures = max(1, last["received"] - first["received"])
    late = after["late_s"]
    return Trial(
        {stage: 1000 * (spent - first["cpu_s"][stage]) / pictures for stage, spent in last["cpu_s"].items()},
        (after["wakes"] - before["wakes"]) / pictures,
        after["causes"],
        (1000 * late[0], 1000 * late[1]) if late else None,
        pictures / (last["at_s"] - first["at_s"]) / streams,
        empty_wake_ms,
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """One kind of stream on each path, None where aiortc cannot decode it; `decode_ms` is decoding alone what must be,
    by picture sent.
    """

    streams: int
    loop: Trial | None
    plain: Trial | None
    tap: Trial
    decode_ms: float


def percent(ms: float) -> float:
    """Percent of a core for a stream whose pictures cost this each."""
    return ms * FPS / 10


def cost_row(name: str, cost: Cost) -> tuple[str, ...]:
    """A row below `HEAD`."""
    loop, tap = cost.loop, cost.tap
    shares = (_share(each) for each in (loop, cost.plain, tap))
    fit = (NONE if each is None else f"{FULL_PERCENT / percent(each.total_ms):.0f}" for each in (loop, tap))
    return (
        f"{name}, {cost.streams} at once",
        *shares,
        f"{percent(cost.decode_ms):.2f} %",
        NONE if loop is None else f"{loop.total_ms / tap.total_ms:.2f} ×",
        f"{tap.total_ms / cost.decode_ms:.2f} ×",
        *fit,
        _late(loop),
        _late(tap),
    )


def _share(trial: Trial | None) -> str:
    if trial is None:
        return NONE
    behind = "" if trial.rate >= BEHIND * FPS else f", at {trial.rate:.0f}/s"
    return f"{percent(trial.total_ms):.2f} %{behind}"


def _late(trial: Trial | None) -> str:
    return NONE if trial is None or trial.late_ms is None else f"{trial.late_ms[0]:.0f} / {trial.late_ms[1]:.0f} ms"
