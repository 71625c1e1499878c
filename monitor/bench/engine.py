# SPDX-License-Identifier: Apache-2.0
"""Settings in; faces a second by step, streams per device, the share of its limit as table, JSON or README out."""

import asyncio
from pathlib import Path
from typing import Final

from monitor import assets
from monitor.bench.faces import CLIP, faces
from monitor.bench.result import Result, Way
from monitor.config import Settings
from monitor.liveness.catalog import crop_px
from monitor.liveness.throughput import Step, Throughput, measure

__all__ = ["benchmark", "rows"]

SECTION: Final = "bench-engine"
LOOKS: Final = 16
HEAD: Final = ("faces a step", "ms a step", "faces a second", "streams", "of the device's limit")


async def benchmark(settings: Settings, *, seconds: float, json: bool = False, readme: Path | None = None) -> int:
    """Measure steps of every size on the device of the settings, each for so many seconds; returns 0.

    Table to stderr, JSON to stdout; `readme` is a file whose section between the markers is rewritten. Raises
    AssetError without the clip or the face model, UsageError for a file without markers, else as the engine does.
    """
    way = Way(SECTION, json=json, readme=readme)
    clip = assets.path(CLIP, settings.paths.cache)
    crops = await faces(settings, clip, crop_px(settings.liveness.model), LOOKS)
    found = await asyncio.to_thread(measure, settings.liveness, list(crops), seconds)
    command = f"lifesign bench engine --seconds {seconds:g}"
    result = Result("steps of the network", HEAD, rows(found), command, f"{facts(found)}.")
    way.tell(result, found._asdict() | {"device": found.device._asdict(), "work": found.work._asdict()})
    return 0


def facts(found: Throughput) -> str:
    """What the device does at most, and what a face takes."""
    device, work = found.device, found.work
    return (
        f"{device.name}, {found.precision}: {device.flops_per_s / 1e12:.3g} TFLOP/s and "
        f"{device.bytes_per_s / 1e9:.3g} GB/s at most; a face takes {work.flops / 1e9:.3g} GFLOP "
        f"and {work.values / 1e6:.3g} million values in and out of layers"
    )


def rows(found: Throughput) -> list[tuple[str, ...]]:
    """The table: streams are calls with one face that is looked at as often as the network was trained for."""
    return [_row(step, found.looks_per_s) for step in found.steps]


def _row(step: Step, looks_per_s: float) -> tuple[str, ...]:
    return (
        str(step.crops),
        f"{1000 * step.seconds:.2f}",
        f"{step.crops_per_s:,.0f}",
        f"{step.crops_per_s / looks_per_s:,.0f}",
        f"{100 * step.share:.0f} %",
    )
