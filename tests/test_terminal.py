# SPDX-License-Identifier: Apache-2.0
"""What commands print, and with which code they leave."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from structlog.testing import capture_logs

from monitor import errors, terminal
from monitor.assets import manifest
from monitor.errors import LifesignError, UsageError
from monitor.terminal import done, fetching, finished, guarded, out, playing, start, until_interrupted

TREE = [getattr(errors, name) for name in errors.__all__]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of this machine, no redirected streams."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("monitor.terminal.native.catch", lambda: None)
    monkeypatch.setattr("monitor.terminal.logs.configure", lambda *_: None)


def raising(error: BaseException) -> Callable[[], None]:
    """A program that ends like that."""

    def program() -> None:
        raise error

    return program


@pytest.mark.parametrize("kind", TREE, ids=[kind.__name__ for kind in TREE])
def test_every_error_is_two_lines_and_its_exit_code(
    kind: type[LifesignError], capsys: pytest.CaptureFixture[str]
) -> None:
    """Code, what happened, what to do; nothing on stdout; exit codes of the contract only."""
    with pytest.raises(SystemExit) as caught:
        guarded(raising(kind("It is so.", "Do this.")))
    shown = capsys.readouterr()
    assert shown.err == f"error [{kind.code}] It is so.\n  Do this.\n"
    assert shown.out == ""
    assert caught.value.code == kind.exit_code
    assert kind is LifesignError or kind.exit_code in {1, 2, 3}


def test_codes_of_errors_are_unique() -> None:
    """A code leads to one section of the errors page."""
    codes = [kind.code for kind in TREE]
    assert len(set(codes)) == len(codes)


def test_an_unexpected_error_is_a_fault_of_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 70 with the traceback and where to take it."""
    with pytest.raises(SystemExit) as caught:
        guarded(raising(KeyError("surprise")))
    assert caught.value.code == 70
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "error [internal] KeyError: 'surprise'" in shown


def test_exits_pass_through() -> None:
    """A command's own exit code is kept."""
    with pytest.raises(SystemExit) as caught:
        guarded(raising(SystemExit(4)))
    assert caught.value.code == 4


def test_data_is_text_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Text as it is, anything else as JSON, both with one line end."""
    out("line\n")
    out({"é": [1, 2]})
    shown = capsys.readouterr().out
    assert shown.startswith("line\n{")
    assert json.loads(shown.removeprefix("line\n")) == {"é": [1, 2]}


def test_work_ends_with_its_exit_code() -> None:
    """A coroutine's result and a plain number are exit codes alike."""

    async def work() -> int:
        return 1

    for ended in (work(), 1):
        with pytest.raises(typer.Exit) as caught:
            done(ended)
        assert caught.value.exit_code == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_set_the_event(number: signal.Signals) -> None:
    """What is watched until interrupted ends by itself, without a traceback."""

    async def work(stop: asyncio.Event) -> str:
        os.kill(os.getpid(), number)
        await stop.wait()
        return "ended"

    assert finished(until_interrupted(work)) == "ended"


@pytest.mark.parametrize(
    ("changes", "word"),
    [(["http.port"], "KEY=VALUE"), (["=3"], "KEY=VALUE"), (["pulls=[1,"], "--set pulls"), (["a=1", "a.b=2"], "below")],
)
def test_changes_that_make_no_sense(changes: list[str], word: str) -> None:
    """--set is checked before the settings are."""
    with pytest.raises(UsageError, match=word):
        start(None, changes)


def test_changes_of_all_kinds() -> None:
    """Plain values are taken from text, lists from JSON."""
    settings = start(None, ["http.port=9000", "policy.profile=kyc", 'whip.tokens=["a=b"]', "mqtt.tls={}"])
    assert (settings.http.port, settings.policy.profile.value) == (9000, "kyc")
    assert settings.whip.tokens[0].get_secret_value() == "a=b"
    assert settings.mqtt.tls is not None


def test_unknown_environment_names_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """They set nothing, and Kubernetes makes some of its own: a warning, not an error."""
    monkeypatch.setenv("LIFESIGN_HTP__PORT", "1")
    with capture_logs() as said:
        start(None)
    assert said[0]["did_you_mean"] == "LIFESIGN_HTTP__PORT"


def test_bars_are_silent_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress is for terminals."""
    with fetching() as step:
        step(manifest()["face_landmarker"], "somewhere", 5)
    with playing("film") as step_s:
        step_s(1.0, None)
    assert capsys.readouterr() == ("", "")


def test_bars_are_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is fetched, and from where."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with terminal.fetching() as step:
        step(manifest()["face_landmarker"], "somewhere", 3_000_000)
    assert "face_landmarker from somewhere" in capsys.readouterr().err
