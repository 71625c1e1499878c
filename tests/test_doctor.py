# SPDX-License-Identifier: Apache-2.0
"""The doctor's verdict on the whole: exit code, output, checks that hang or break."""

import json
import threading
from pathlib import Path

import pytest

from monitor import doctor
from monitor.config import Settings
from monitor.doctor import examine
from monitor.errors import BrokerError

ALL = doctor.PROBES


def good(_settings: Settings) -> str:
    """A check that is ok."""
    return "as it should be"


def bad(_settings: Settings) -> str:
    """A check that fails."""
    raise BrokerError("The broker is away.", "Start it.")


def broken(_settings: Settings) -> str:
    """A check with a fault of its own."""
    raise KeyError("surprise")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration file but the test's, no redirected streams, no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("monitor.terminal.native.catch", lambda: None)
    monkeypatch.setattr("monitor.terminal.logs.configure", lambda *_: None)
    monkeypatch.setattr(doctor, "PROBES", (("good", good),))


def test_all_well_is_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    """Green, without advice."""
    assert doctor.doctor(None, (), json=False) == 0
    assert "as it should be" in capsys.readouterr().out


def test_one_failure_is_exit_1_with_advice(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The failing check names what to do; the others are still shown."""
    monkeypatch.setattr(doctor, "PROBES", (("bad", bad), ("good", good)))
    assert doctor.doctor(None, (), json=False) == 1
    shown = capsys.readouterr().out
    assert "FAIL bad" in shown
    assert "Start it." in shown
    assert "ok   good" in shown


def test_json_is_for_machines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One list of findings on stdout."""
    monkeypatch.setattr(doctor, "PROBES", (("bad", bad),))
    doctor.doctor(None, (), json=True)
    assert json.loads(capsys.readouterr().out)[1] == {
        "name": "bad",
        "ok": False,
        "what": "The broker is away.",
        "advice": "Start it.",
    }


def test_a_broken_configuration_is_a_finding_and_the_rest_is_still_checked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The place of the fault is shown, and the defaults are examined."""
    file = tmp_path / "bad.yaml"
    file.write_text("http:\n  prot: 1\n")
    assert doctor.doctor(file, (), json=False) == 1
    shown = capsys.readouterr().out
    assert "bad.yaml:2:3" in shown
    assert "ok   good" in shown


def test_a_check_that_breaks_is_a_finding() -> None:
    """A fault in one check ends no other."""
    findings = examine(Settings(), (("broken", broken), ("good", good)))
    assert [finding.ok for finding in findings] == [False, True]
    assert "KeyError" in findings[0].what


def test_a_check_that_hangs_is_left_behind() -> None:
    """A blocked disk or network cannot hang the doctor."""
    freed = threading.Event()

    def hangs(_settings: Settings) -> str:
        freed.wait()
        return "late"

    findings = examine(Settings(), (("hangs", hangs), ("good", good)), timeout_s=0.05)
    freed.set()
    assert [finding.ok for finding in findings] == [False, True]
    assert "No answer within 0.05 s" in findings[0].what


def test_every_check_has_a_name_of_its_own() -> None:
    """Machines can tell findings apart."""
    names = [name for name, _ in ALL]
    assert len(names) == len(set(names))
