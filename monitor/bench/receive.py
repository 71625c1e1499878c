# SPDX-License-Identifier: Apache-2.0
"""Kinds of streams in; what receiving one costs on each path, beside decoding alone, as a table or JSON out."""

import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from json import dumps
from pathlib import Path
from typing import Final

import av
from rich.console import Console
from rich.table import Table

from monitor import assets
from monitor.bench.caller import encode, read
from monitor.bench.child import Cores, process
from monitor.bench.layers import PERIOD
from monitor.bench.probe import FPS
from monitor.bench.section import machine_facts, rewrite, section
from monitor.config import CaptureSettings

__all__ = ["KINDS", "Cost", "Kind", "measure"]

CLIP: Final = "pexels_woman"
PATHS: Final = ("loop", "plain", "tap")
WARM_UP_S: Final = 4.0
SECTION: Final = "bench-receive"
HEAD: Final = ("", "recv() loop", "plain", "tap", "decoding alone", "loop / tap", "tap / decoding")


@dataclass(frozen=True, slots=True)
class Kind:
    """A stream as it is sent, VP8, 30 pictures/s."""

    name: str
    width_px: int
    height_px: int
    layered: bool


KINDS: Final = (
    Kind("480p VP8", 640, 480, layered=False),
    Kind("480p VP8 L1T3", 640, 480, layered=True),
    Kind("720p VP8", 1280, 720, layered=False),
    Kind("720p VP8 L1T3", 1280, 720, layered=True),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds for each picture that a stream sent, by path; `decode` is decoding alone what must be."""

    loop: float
    plain: float
    tap: float
    decode: float

    @property
    def gain(self) -> float:
        """How many times the loop's cost is the tap's."""
        return self.loop / self.tap


def decode_alone(pictures: list[bytes], kept: int) -> float:
    """CPU milliseconds for each picture sent when every `kept`-th is decoded, on one thread."""
    decoder = av.CodecContext.create("libvpx", "r")
    began_s = time.thread_time()
    for data in pictures[::kept]:
        decoder.decode(av.Packet(data))
    return 1000 * (time.thread_time() - began_s) / len(pictures)


async def _cost(kind: Kind, folder: Path, streams: int, seconds: float) -> Cost:
    clip = folder / f"{kind.width_px}-{kind.layered}.ivf"
    size = kind.width_px, kind.height_px
    await asyncio.to_thread(encode, assets.path(CLIP), clip, size, layered=kind.layered)
    period = PERIOD if kind.layered else 1
    alone = await asyncio.to_thread(decode_alone, read(clip, period), period)
    job = {"clip": str(clip), "token": "none", "streams": streams, "layered": kind.layered}
    loop, plain, tap = [await _trial(path, job, folder, seconds) for path in PATHS]
    return Cost(loop, plain, tap, alone)


async def _trial(path: str, job: Mapping[str, object], folder: Path, seconds: float) -> float:
    cores, rate = Cores.pick(), CaptureSettings().samples_per_s
    async with (
        process("monitor.bench.receiver", cores.watcher, folder) as watcher,
        process("monitor.bench.caller", cores.caller, folder) as caller,
    ):
        hello = await watcher.ask({"path": path, "samples_per_s": rate})
        await caller.ask({**job, "url": hello["url"]})
        before, after = await watcher.mark(WARM_UP_S), await watcher.mark(seconds)
    spent_s = sum(after.cpu_s.values()) - sum(before.cpu_s.values())
    return 1000 * spent_s / max(1, after.received - before.received)


async def measure(*, streams: int, seconds: float, json: bool = False, readme: Path | None = None) -> int:
    """Measure every kind of stream on every path, one after the other; returns 0.

    Table to stderr, JSON to stdout; `readme` is a file whose section between the markers is rewritten. Raises
    UsageError for a file without them.
    """
    if readme is not None:
        rewrite(readme, None, SECTION)
    console, machine = Console(stderr=True, highlight=False), machine_facts()
    costs: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory(prefix="lifesign-bench-") as name:
        for kind in KINDS:
            with console.status(f"{kind.name} …"):
                costs[kind.name] = await _cost(kind, Path(name), streams, seconds)
    found = [_row(title, cost) for title, cost in costs.items()]
    table = Table(*HEAD, title=f"receiving {streams} streams, percent of a core per stream at {FPS} pictures/s")
    for row in found:
        table.add_row(*row)
    console.print(table)
    if readme is not None:
        command = f"lifesign bench receive --streams {streams} --seconds {seconds:g}"
        rewrite(readme, section(HEAD, found, command, machine), SECTION)
    if json:
        sys.stdout.write(dumps({title: asdict(cost) for title, cost in costs.items()}) + "\n")
    return 0


def _row(title: str, cost: Cost) -> tuple[str, ...]:
    shares = (f"{each * FPS / 10:.2f} %" for each in (cost.loop, cost.plain, cost.tap, cost.decode))
    return (title, *shares, f"{cost.gain:.2f} ×", f"{cost.tap / cost.decode:.2f} ×")
