# SPDX-License-Identifier: Apache-2.0
"""What commands make in; data on stdout, words on stderr and an exit code out."""

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from monitor import logs, native
from monitor.assets import Asset
from monitor.config import Settings
from monitor.errors import LifesignError, UsageError
from monitor.settings_file import load, secrets, unknown_environment

__all__ = [
    "INTERNAL",
    "done",
    "fail",
    "fetching",
    "finished",
    "guarded",
    "out",
    "playing",
    "say",
    "start",
    "styled",
    "until_interrupted",
]

Answer = TypeVar("Answer")
INTERNAL: Final = 70
"""Exit code of a fault of the program itself (sysexits.h EX_SOFTWARE)."""


def guarded(program: Callable[[], object]) -> None:
    """Run the program; an error of the tree becomes two lines on stderr and its exit code, any other 70."""
    try:
        program()
    except LifesignError as error:
        fail(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except Exception as error:
        _crash(error)


def fail(error: LifesignError) -> None:
    """Say what happened and what to do, and leave with the error's exit code."""
    say(f"error [{error.code}] {error.what}")
    say(f"  {error.advice}")
    raise SystemExit(error.exit_code) from None


def out(value: object) -> None:
    """Print data: text as it is, anything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    typer.echo(text.removesuffix("\n"))


def say(text: str) -> None:
    """Print words for people."""
    typer.echo(text, err=True)


def styled(*, stdout: bool = False) -> Console:
    """A console for people, plain in a pipe and under NO_COLOR; on stderr, or on stdout when the words are the data."""
    return Console(stderr=not stdout, highlight=False, soft_wrap=True)


def start(config: Path | None, changes: Sequence[str] = ()) -> Settings:
    """Load the settings, start the logs, and say which environment names set nothing; once per process."""
    settings = load(config, _overrides(changes))
    if settings.log.level != "debug":
        native.catch()
    logs.configure(settings.log, secrets(settings))
    for name, near in unknown_environment().items():
        structlog.get_logger("monitor").warning("unknown_environment_name", name=name, did_you_mean=near or None)
    return settings


def finished(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a command's work to its end."""
    return asyncio.run(work)


def done(work: Coroutine[Any, Any, int] | int) -> None:
    """Run a command's work to its end and leave with its exit code."""
    raise typer.Exit(work if isinstance(work, int) else finished(work))


async def until_interrupted(work: Callable[[asyncio.Event], Coroutine[Any, Any, Answer]]) -> Answer:
    """Give the work an event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return await work(stop)


@contextmanager
def playing(title: str) -> Iterator[Callable[[float, float | None], None]]:
    """A bar of seconds played on a terminal, nothing in a pipe."""
    with Progress(console=styled(), disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task(title, total=None)

        def step(played_s: float, length_s: float | None) -> None:
            bars.update(task, completed=played_s, total=length_s)

        yield step


@contextmanager
def fetching() -> Iterator[Callable[[Asset, str, int], None]]:
    """A bar per asset on a terminal, nothing in a pipe."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=styled(), disable=not sys.stderr.isatty()) as bars:
        tasks: dict[str, Any] = {}

        def step(asset: Asset, route: str, here_bytes: int) -> None:
            if asset.name not in tasks:
                tasks[asset.name] = bars.add_task(asset.name, total=None)
            total = asset.bytes if here_bytes else None
            bars.update(tasks[asset.name], description=f"{asset.name} from {route}", completed=here_bytes, total=total)

        yield step


def _overrides(changes: Sequence[str]) -> dict[str, Any]:
    """Nested mapping of KEY=VALUE words; a value that starts like JSON is JSON."""
    tree: dict[str, Any] = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {change} is not KEY=VALUE.", "For example: --set http.port=8081")
        _plant(tree, key.split("."), _value(key, value))
    return tree


def _plant(tree: dict[str, Any], keys: Sequence[str], value: object) -> None:
    for key in keys[:-1]:
        inner = tree.setdefault(key, {})
        if not isinstance(inner, dict):
            raise UsageError(f"--set gives {key} a value and keys below it.", "Give one of them.")
        tree = inner
    tree[keys[-1]] = value


def _value(key: str, text: str) -> object:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"--set {key}: {error.msg} at character {error.colno}.", "Lists and sections are JSON."
        ) from error


def _crash(error: Exception) -> None:
    say("".join(traceback.format_exception(error)).rstrip())
    say(f"error [internal] {type(error).__name__}: {error}")
    say(
        "  This is a fault of Lifesign. Please report it with the lines above and what `lifesign doctor --json` prints."
    )
    raise SystemExit(INTERNAL) from None
