# SPDX-License-Identifier: Apache-2.0
"""A configuration in; everything a deployment needs, checked, with what to do about what fails, out."""

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from rich.text import Text

from monitor import doctor_machine, doctor_service
from monitor.config import Settings
from monitor.errors import ConfigError, LifesignError
from monitor.settings_file import find
from monitor.terminal import out, start, styled

__all__ = ["TIMEOUT_S", "Finding", "Probe", "doctor", "examine"]

TIMEOUT_S: Final = 30.0
"""Longest time for one check; loading the networks on a slow disk is the longest of them."""
Probe = Callable[[Settings], str]
"""One check: says what is fine, or raises a LifesignError that says what is not and what to do."""

QUIET: Final = "log.level=error"
"""The findings say what fails; the stages need not say it too."""
PROBES: Final[Sequence[tuple[str, Probe]]] = (
    ("python", doctor_machine.python),
    ("packages", doctor_machine.packages),
    ("libraries", doctor_machine.libraries),
    ("codecs", doctor_machine.codecs),
    ("tap", doctor_machine.tap),
    ("processor", doctor_machine.processor),
    ("device", doctor_machine.device),
    ("clock", doctor_machine.clock),
    ("environment", doctor_service.environment),
    ("assets", doctor_service.needed_assets),
    ("face finder", doctor_service.face_finder),
    ("weights", doctor_service.weights),
    ("recogniser", doctor_service.recogniser),
    ("http port", doctor_service.http_port),
    ("tls", doctor_service.tls),
    ("udp", doctor_service.udp),
    ("ice", doctor_service.ice),
    ("outbox", doctor_service.outbox),
    ("pictures", doctor_service.pictures),
    ("broker", doctor_service.broker),
)


class Finding(NamedTuple):
    """What one check found; `advice` is empty when it is ok."""

    name: str
    ok: bool
    what: str
    advice: str


def doctor(config: Path | None, changes: Sequence[str], *, json: bool) -> int:
    """Check everything and print it; 0 when all is well, 1 when something fails."""
    configuration, settings = _configured(config, changes)
    findings = [configuration, *examine(settings)]
    if json:
        out([finding._asdict() for finding in findings])
    else:
        _show(findings)
    return 0 if all(finding.ok for finding in findings) else 1


def examine(
    settings: Settings, probes: Iterable[tuple[str, Probe]] | None = None, timeout_s: float = TIMEOUT_S
) -> tuple[Finding, ...]:
    """Run the checks one after the other, each with a time limit; none of them ends the others."""
    return tuple(_limited(name, probe, settings, timeout_s) for name, probe in probes or PROBES)


def _configured(config: Path | None, changes: Sequence[str]) -> tuple[Finding, Settings]:
    """The settings, or the defaults when they cannot be used."""
    try:
        settings = start(config, (*changes, QUIET))
        return Finding("configuration", True, f"valid: {find(config) or 'defaults and environment'}", ""), settings
    except ConfigError as error:
        return Finding("configuration", False, error.what, error.advice), Settings.model_construct()


def _limited(name: str, probe: Probe, settings: Settings, timeout_s: float) -> Finding:
    """Run the check in a thread of its own, which is left behind when it takes too long."""
    answer: queue.Queue[Finding] = queue.Queue(1)
    thread = threading.Thread(
        target=lambda: answer.put(_find(name, probe, settings)), name=f"check {name}", daemon=True
    )
    thread.start()
    try:
        return answer.get(timeout=timeout_s)
    except queue.Empty:
        return Finding(name, False, f"No answer within {timeout_s:g} s.", "Look for a blocked disk, network or device.")


def _find(name: str, probe: Probe, settings: Settings) -> Finding:
    try:
        return Finding(name, True, probe(settings), "")
    except LifesignError as error:
        return Finding(name, False, error.what, error.advice)
    except Exception as error:  # a check that breaks is a finding
        what = f"The check broke: {type(error).__name__}: {error}."
        return Finding(name, False, what, "Reinstall lifesign, then report what `lifesign doctor --json` prints.")


def _show(findings: Iterable[Finding]) -> None:
    console = styled(stdout=True)
    for finding in findings:
        mark = Text("ok  ", "green") if finding.ok else Text("FAIL", "bold red")
        console.print(mark, Text(f" {finding.name:<13} {finding.what}"), sep="")
        if finding.advice:
            console.print(Text(f"                   {finding.advice}", "yellow"))
