# SPDX-License-Identifier: Apache-2.0
"""Kinds of streams in; what receiving one costs on each path, beside decoding alone, as tables or JSON out."""

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from monitor import assets
from monitor.bench.alone import decode_alone
from monitor.bench.breakdown import breakdown
from monitor.bench.caller import encode, read
from monitor.bench.child import Cores, process
from monitor.bench.costs import (
    FULL_PERCENT,
    HEAD,
    KINDS,
    Cost,
    Kind,
    Trial,
    cost_row,
    trial_of,
)
from monitor.bench.layers import PERIOD
from monitor.bench.probe import FPS
from monitor.bench.section import machine_facts, rewrite, section, table
from monitor.config import CaptureSettings

__all__ = ["measure"]

CLIP: Final = "pexels_woman"
WARM_UP_S: Final = 4.0
SECTION: Final = "bench-receive"


async def _cost(kind: Kind, folder: Path, streams: int, seconds: float, *, profiled: bool) -> Cost:
    clip = folder / f"{kind.name}.film"
    size, period = (kind.width_px, kind.height_px), PERIOD if kind.layered else 1
    await asyncio.to_thread(encode, assets.path(CLIP), clip, size, codec=kind.codec, layered=kind.layered)
    job = {"clip": str(clip), "token": "none", "streams": streams, "codec": kind.codec, "layered": kind.layered}
    loop = await _trial("loop", job, folder, seconds) if kind.plain else None
    plain = await _trial("plain", job, folder, seconds) if kind.plain else None
    core, pictures = Cores.pick().watcher, read(clip, period)
    alone = await asyncio.to_thread(decode_alone, pictures, period, kind.codec, streams, core)
    return Cost(streams, loop, plain, await _trial("tap", job, folder, seconds, profiled=profiled), alone)


async def _trial(
    path: str, job: Mapping[str, object], folder: Path, seconds: float, *, profiled: bool = False
) -> Trial:
    cores, rate = Cores.pick(), CaptureSettings().samples_per_s
    async with (
        process("monitor.bench.receiver", cores.watcher, folder) as watcher,
        process("monitor.bench.caller", cores.caller, folder) as caller,
    ):
        hello = await watcher.ask({"path": path, "samples_per_s": rate, "profiled": profiled})
        began = await caller.ask({**job, "url": hello["url"]})
        await asyncio.sleep(WARM_UP_S)
        before = await watcher.ask(began)
        await asyncio.sleep(seconds)
        after = await watcher.ask(began)
    return trial_of(before, after, int(str(job["streams"])), hello["empty_wake_ms"])


async def measure(
    *, streams: int, seconds: float, json: bool = False, readme: Path | None = None, profile: bool = False
) -> int:
    """Measure every kind of stream on every path, one after the other; returns 0.

    Tables to stderr, JSON to stdout; `readme` is a file whose section between the markers is rewritten. With `profile`
    there is a table of where the tap's CPU time goes as well. Raises UsageError for a file without markers.
    """
    if readme is not None:
        rewrite(readme, None, SECTION)
    console, machine = Console(stderr=True, highlight=False), machine_facts()
    costs: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory(prefix="lifesign-bench-") as name:
        for kind in KINDS:
            with console.status(f"{kind.name} …"):
                many = kind.streams(streams)
                costs[kind.name] = await _cost(kind, Path(name), many, seconds, profiled=profile)
    found = [cost_row(title, cost) for title, cost in costs.items()]
    _print(console, f"receiving, percent of a core per stream at {FPS} pictures/s", HEAD, found)
    where = breakdown(costs) if profile else None
    if where is not None:
        _print(console, "where the tap's time goes", *where)
    if readme is not None:
        command = f"lifesign bench receive --streams {streams} --seconds {seconds:g}{' --profile' * profile}"
        told = [section(HEAD, found, command, machine), NOTES, *([table(*where)] if where else [])]
        rewrite(readme, "\n\n".join(told), SECTION)
    if json:
        sys.stdout.write(dumps({title: asdict(cost) for title, cost in costs.items()}) + "\n")
    return 0


NOTES: Final = f"""\
Callers send pictures encoded beforehand from one core; the receiving process has another one. The loop awaits
`track.recv()` and calls `to_ndarray()` on every picture; plain and tap are Lifesign's capture at 5 looks a second.
*Decoding alone* decodes those pictures that must be, one after the other without a pause. Streams a core are
extrapolated to {FULL_PERCENT} % of it. A picture is late by the time from when it was due at the caller to when it was
there, decoded. A path that could not keep up names the pictures a second that it received. aiortc decodes neither VP9
nor AV1."""
"""What a reader needs to know of the method."""


def _print(console: Console, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    shown = Table(*head, title=title)
    for row in rows:
        shown.add_row(*row)
    console.print(shown)
