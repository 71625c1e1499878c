# SPDX-License-Identifier: Apache-2.0
"""The command `lifesign` as users start it: in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor import assets
from monitor.settings_keys import example


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder, which is the working folder too."""
    return tmp_path


def lifesign(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command and wait for its end."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), "NO_COLOR": "1"} | environment
    program = [sys.executable, "-c", "from monitor.cli import main; main()", *words]
    variables["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    return subprocess.run(program, capture_output=True, text=True, check=False, cwd=home, env=variables, timeout=15)


def test_the_example_checks(home: Path) -> None:
    """`config example` makes a file that `config check` takes."""
    shown = lifesign(home, "config", "example")
    assert (shown.returncode, shown.stderr) == (0, "")
    (home / "lifesign.yaml").write_text(shown.stdout)
    assert shown.stdout == example()
    checked = lifesign(home, "config", "check")
    assert checked.returncode == 0
    assert "valid: lifesign.yaml" in checked.stderr
    assert json.loads(checked.stdout)["http"]["port"] == 8080


def test_a_bad_configuration_is_exit_2_with_the_line(home: Path) -> None:
    """Nothing on stdout, file and line on stderr."""
    (home / "bad.yaml").write_text("http:\n  prot: 80\n")
    shown = lifesign(home, "config", "check", "--config", "bad.yaml")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "error [config] bad.yaml:2:3: http.prot is not a known key; did you mean http.port?" in shown.stderr


def test_secrets_are_masked(home: Path) -> None:
    """The whole configuration can be pasted into a report."""
    shown = lifesign(home, "config", "check", LIFESIGN_MQTT__PASSWORD="hush-hush")
    assert shown.returncode == 0
    assert "hush-hush" not in shown.stdout + shown.stderr


@pytest.mark.parametrize("words", [["nothing"], ["scan"], ["run", "--port", "1"], ["setup", "--group", "x"]])
def test_usage_errors_are_exit_2(home: Path, words: list[str]) -> None:
    """A hint on stderr, nothing on stdout."""
    shown = lifesign(home, *words)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "Usage: lifesign" in shown.stderr


@pytest.mark.parametrize(
    "words", [["config", "schema"], ["events", "schema"], ["events", "schema", "--format", "asyncapi"]]
)
def test_contracts_are_json_on_stdout(home: Path, words: list[str]) -> None:
    """They can be piped into a file."""
    shown = lifesign(home, *words)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)


def test_setup_is_quick_and_silent_on_stdout_when_all_is_there(home: Path) -> None:
    """What make runs each time."""
    cache = assets.cache_folder()
    if not assets.destination(assets.manifest()["face_landmarker"]).exists():
        pytest.skip("asset face_landmarker is missing: run `lifesign setup --group run`")
    shown = lifesign(home, "setup", LIFESIGN_PATHS__CACHE=str(cache))
    assert (shown.returncode, shown.stdout) == (0, "")
    assert "1 files were here, 0 fetched" in shown.stderr


def test_the_version_is_that_of_the_distribution(home: Path) -> None:
    """Name and number."""
    assert lifesign(home, "version").stdout.startswith("lifesign 0.")


def test_help_loads_no_network_and_no_media_library(home: Path) -> None:
    """`lifesign --help` is quick: heavy packages are imported by the commands that need them."""
    program = "import sys, monitor.cli; print(sorted({'torch', 'cv2', 'mediapipe', 'aiortc', 'av'} & set(sys.modules)))"
    root = str(Path(__file__).resolve().parents[1])
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root, timeout=15
    )
    assert shown.stdout.strip() == "[]"


def test_a_closed_pipe_is_no_error(home: Path) -> None:
    """`lifesign config schema | head -1` ends quietly."""
    code = "from monitor.cli import main; main()"
    root = str(Path(__file__).resolve().parents[1])
    command = f"'{sys.executable}' -c '{code}' config schema | head -n 1"
    shown = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
        timeout=15,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert shown.stdout == "{\n"
    assert shown.stderr == ""
