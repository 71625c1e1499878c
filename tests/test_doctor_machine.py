# SPDX-License-Identifier: Apache-2.0
"""Each thing of the machine, broken on purpose, and the advice for it."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor import doctor_machine
from monitor.config import LivenessSettings, Settings
from monitor.errors import LifesignError

Install = Callable[[str, str], None]


def advice(check: Callable[[Settings], str], settings: Settings | None = None) -> tuple[str, str]:
    """What a failing check says."""
    with pytest.raises(LifesignError) as caught:
        check(settings or Settings())
    return caught.value.what, caught.value.advice


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a distribution's metadata in front of the installed ones, as another pip install would."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(name: str, version: str) -> None:
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    return put


@pytest.mark.parametrize("name", ["python", "libraries", "codecs", "processor", "device", "clock"])
def test_this_machine_is_fit(name: str) -> None:
    """The checks pass where the tests pass."""
    assert getattr(doctor_machine, name)(Settings())


def test_packages_are_those_that_were_tested() -> None:
    """Installed by make or pip, every dependency fits."""
    assert "tested versions" in doctor_machine.packages(Settings())


def test_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is named."""
    monkeypatch.setattr(doctor_machine, "OLDEST_PYTHON", (9, 0))
    what, do = advice(doctor_machine.python)
    assert f"Python {sys.version_info.major}" in what
    assert "3.11 or newer" in do


def test_a_mediapipe_that_phones_home(install: Install) -> None:
    """Telemetry is refused, with the version to take instead."""
    install("mediapipe", "1.2.2")
    what, do = advice(doctor_machine.packages)
    assert "mediapipe 1.2.2 sends usage data" in what
    assert do == "pip install mediapipe==0.10.33"


def test_a_dependency_of_another_version(install: Install) -> None:
    """Package, found and wanted version."""
    install("aiomqtt", "1.0.0")
    what, do = advice(doctor_machine.packages)
    assert "aiomqtt is 1.0.0, tested is" in what
    assert "environment of its own" in do


def test_opencv_twins_that_differ(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packages write one folder; unequal versions mix."""
    install("opencv-python", "5.1.0")
    monkeypatch.setattr(doctor_machine, "_mismatch", lambda _: "")
    what, do = advice(doctor_machine.packages)
    assert "both write the folder cv2" in what
    assert "--force-reinstall" in do


def test_the_dead_ancestor_of_aiomqtt(install: Install) -> None:
    """asyncio-mqtt is not to be there."""
    install("asyncio-mqtt", "0.16.2")
    what, do = advice(doctor_machine.packages)
    assert "asyncio-mqtt is installed" in what
    assert "pip uninstall asyncio-mqtt" in do


def test_another_package_named_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger of the same name in front of ours is found before it does harm."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "models", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    what, _ = advice(doctor_machine.packages)
    assert f"The package models comes from {tmp_path}" in what


def test_lifesign_itself_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Running from loose sources has no known dependencies."""

    def absent(name: str) -> None:
        raise doctor_machine.PackageNotFoundError(name)

    monkeypatch.setattr(doctor_machine, "requires", absent)
    assert "lifesign is not installed" in advice(doctor_machine.packages)[0]


def test_a_missing_system_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Debian package is named."""
    monkeypatch.setattr(doctor_machine, "LIBRARIES", {"libNotHere.so.9": "libnothere9"})
    what, do = advice(doctor_machine.libraries)
    assert "libNotHere.so.9" in what
    assert "sudo apt-get install libnothere9" in do


def test_a_missing_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoder or encoder is told."""
    monkeypatch.setattr(doctor_machine, "CODECS", (("vp8", "r"), ("libnot264", "w")))
    assert "libnot264 (encoder)" in advice(doctor_machine.codecs)[0]


def test_a_gpu_that_is_not_there() -> None:
    """A device asked for by name must exist."""
    settings = Settings(liveness=LivenessSettings(device="cuda:63"))
    what, do = advice(doctor_machine.device, settings)
    assert "cuda:63" in what
    assert "auto or cpu" in do


def test_a_clock_in_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board without a battery wakes up in 1970."""
    monkeypatch.setattr(time, "time", lambda: 86_400.0)
    what, do = advice(doctor_machine.clock)
    assert "1970-01-02" in what
    assert "set-ntp" in do
