# SPDX-License-Identifier: Apache-2.0
"""Settings in; Lifesign beside the plain aiortc loop, measured in one run, as a table, JSON or a README section out."""

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from monitor.bench.child import Cores
from monitor.bench.report import HEAD, Measure, Row, markdown, ratios, rows
from monitor.bench.section import machine_facts, rewrite
from monitor.bench.trial import WARM_UP_S, prepared
from monitor.config import Settings

__all__ = ["VARIANTS", "compare"]

VARIANTS: Final = {
    "plain": ("plain", False, "plain aiortc loop"),
    "lifesign": ("lifesign", False, "Lifesign"),
    "layered": ("lifesign", True, "Lifesign, callers send layers"),
}
"""Each with the program that runs, whether callers send temporal layers, and its title."""

BUSY: Final = 0.5
"""Load average from which on a machine is not quiet enough for figures to be kept."""


async def compare(
    settings: Settings, *, streams: int = 2, seconds: float = 60.0, json: bool = False, readme: Path | None = None
) -> int:
    """Measure both programs one after the other, Lifesign also with callers that send layers; returns 0.

    The table goes to stderr, with `json` everything measured to stdout; `readme` is a file whose section between the
    markers is rewritten. Raises AssetError without the clip or the face model, StartError when a process fails,
    UsageError for a file without markers.
    """
    if readme is not None:
        rewrite(readme, None)
    console = Console(stderr=True, highlight=False)
    machine, cores = machine_facts(), Cores.pick()
    _warn(console, cores)
    measures = await _measures(console, settings, streams, seconds)
    table = rows(*measures.values())
    console.print(_table(table, streams))
    command = f"lifesign bench --streams {streams} --seconds {seconds:g}"
    if readme is not None:
        rewrite(readme, markdown(table, command, machine))
    if json:
        sys.stdout.write(dumps(_document(measures, machine, command)) + "\n")
    return 0


async def _measures(console: Console, settings: Settings, streams: int, seconds: float) -> dict[str, Measure]:
    measures = {}
    async with prepared(settings, streams, seconds, layers=True) as trials:
        for variant, (program, layered, title) in VARIANTS.items():
            with console.status(f"{title}: {WARM_UP_S:.0f} s to warm up, {seconds:g} s measured …"):
                measures[variant] = await trials.measure(program, layered=layered)
    return measures


def _warn(console: Console, cores: Cores) -> None:
    if cores.watcher == cores.caller:
        console.print("one core only: the callers share it with the program under test.", style="yellow")
    if (load := os.getloadavg()[0]) > BUSY:
        console.print(f"load average {load:.2f}: other work may make both programs look slower.", style="yellow")


def _table(table: list[Row], streams: int) -> Table:
    shown = Table(title=f"{streams} × 480p30 VP8, one core")
    for name in HEAD:
        shown.add_column(name, justify="right" if name else "left")
    for row in table:
        shown.add_row(row.name, *row.cells)
    return shown


def _document(measures: Mapping[str, Measure], machine: Mapping[str, str], command: str) -> dict[str, object]:
    return {
        "command": command,
        "machine": machine,
        "variants": {variant: asdict(measure) for variant, measure in measures.items()},
        "ratios": {each: ratios(measures["plain"], measures[each]) for each in ("lifesign", "layered")},
    }
