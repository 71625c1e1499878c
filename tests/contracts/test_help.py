# SPDX-License-Identifier: Apache-2.0
"""The command line's contract: commands and options that scripts rely on."""

from collections.abc import Iterator

import pytest
import typer
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from monitor.cli import app


def commands(group: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group of commands."""
    yield above
    for name, command in sorted(getattr(group, "commands", {}).items()):
        yield from commands(command, (*above, name))


ALL = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", ALL, ids=[" ".join(words) or "lifesign" for words in ALL])
def test_help(words: tuple[str, ...], snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `lifesign … --help` says."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    result = CliRunner().invoke(app, [*words, "--help"], prog_name="lifesign")
    assert result.exit_code == 0
    assert result.output == snapshot
