# SPDX-License-Identifier: Apache-2.0
"""Measured rows in; the section of a README that shows them, and on what machine they were made, out."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from monitor.errors import UsageError

__all__ = ["machine_facts", "rewrite", "rewritten", "section", "table"]

LIBRARIES: Final = ("aiortc", "av", "mediapipe", "torch", "aiomqtt", "iotcore")


def section(head: Sequence[str], rows: Sequence[Sequence[str]], command: str, machine: Mapping[str, str]) -> str:
    """A table in Markdown, and under it how it was made and where."""
    facts = "; ".join(f"{name} {value}" for name, value in machine.items())
    return f"{table(head, rows)}\n\n`{command}` on {facts}."


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, the first column to the left."""
    return "\n".join([_line(head), _line(["---", *["---:"] * (len(head) - 1)]), *map(_line, rows)])


def _line(cells: Sequence[str]) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def rewritten(text: str, section: str, name: str = "bench") -> str:
    """The text with everything between the markers of `name` replaced; raises UsageError for a text without them."""
    begins, ends = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, begin, rest = text.partition(begins)
    _, end, after = rest.partition(ends)
    if not begin or not end:
        raise UsageError(f"There is no {begins} … {ends} in the file.", "Put both markers where the table belongs.")
    return f"{before}{begins}\n{section}\n{ends}{after}"


def rewrite(file: Path, section: str | None, name: str = "bench") -> None:
    """Put the section into the file; without one only see that it could be. Raises UsageError as `rewritten`."""
    text = rewritten(file.read_text(encoding="utf-8"), section or "", name)
    if section is not None:
        file.write_text(text, encoding="utf-8")


def machine_facts() -> dict[str, str]:
    """What the figures depend on."""
    return {
        "CPU": f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores",
        "load average before": f"{os.getloadavg()[0]:.2f}",
        "Python": platform.python_version(),
        "lifesign": version("lifesign"),
    } | {name: version(name) for name in LIBRARIES}


def _cpu_model() -> str:
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.partition(":")[2].strip() for line in facts if line.startswith("model name")), platform.machine())
