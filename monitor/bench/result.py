# SPDX-License-Identifier: Apache-2.0
"""What a benchmark found in; a table on stderr, JSON on stdout, a section of the README out."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path

from rich.console import Console
from rich.table import Table

from monitor.bench.section import machine_facts, rewrite, section

__all__ = ["Result", "Way"]


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a table under `head`, the command that made them, and what a reader must know besides."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    command: str
    notes: str = ""


class Way:
    """The way out of one benchmark: made before it measures, so that what cannot be written is known at once.

    `name` is that of the README section. Raises UsageError for a file without its markers.
    """

    def __init__(self, name: str, *, json: bool, readme: Path | None) -> None:
        self._name = name
        self._json = json
        self._readme = readme
        self._machine = machine_facts()
        self.console = Console(stderr=True, highlight=False)
        if readme is not None:
            rewrite(readme, None, name)

    def tell(self, result: Result, document: object) -> None:
        """Show the table; with `json` write the document, with `readme` the section."""
        self.console.print(_table(result))
        if result.notes:
            self.console.print(result.notes)
        if self._readme is not None:
            text = section(result.head, result.rows, result.command, self._machine)
            rewrite(self._readme, "\n\n".join(filter(None, [text, result.notes])), self._name)
        if self._json:
            sys.stdout.write(dumps(document) + "\n")


def _table(result: Result) -> Table:
    shown = Table(result.head[0], title=result.title)
    for name in result.head[1:]:
        shown.add_column(name, justify="right")
    for row in result.rows:
        shown.add_row(*row)
    return shown
