# SPDX-License-Identifier: Apache-2.0
"""Alerts of a recording with the worst looks of their faces in; JSON files and pictures in a folder out."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from monitor.errors import FileError
from monitor.publish.events import AlertData
from monitor.publish.explanations.explanation import Explanation, explain
from monitor.publish.explanations.overlay import overlay
from monitor.values import AlertChange, WorstLook

__all__ = ["Report"]

STEM_CHARS: Final = 80


class Report:
    """What the alerts of one recording rest on."""

    def __init__(self) -> None:
        self._alerts: dict[str, tuple[Explanation, tuple[WorstLook, ...]]] = {}

    def take(self, alert: AlertData, looks: Sequence[WorstLook]) -> None:
        """Remember what raised an alert or changed it."""
        if alert.change is not AlertChange.CLEARED:
            self._alerts[alert.alert] = explain(alert, looks), tuple(looks)

    def write(self, folder: Path, file: str) -> None:
        """Write NAME-ALERT.json, NAME-ALERT-1.png and so on for the recording `file`; blocking, raises FileError."""
        try:
            for explanation, looks in self._alerts.values():
                folder.mkdir(parents=True, exist_ok=True)
                _write(folder / f"{_stem(file)}-{explanation.alert.alert}", explanation, looks)
        except OSError as error:
            raise FileError(
                f"What explains {file} cannot be written to {folder}: {error.strerror}.", "Name another folder."
            ) from error


def _stem(file: str) -> str:
    return re.sub(r"[^\w.-]+", "_", Path(file).stem)[:STEM_CHARS]


def _write(start: Path, explanation: Explanation, looks: Sequence[WorstLook]) -> None:
    pictures = [overlay(look.rgb, look.boundary.tolist()) for look in looks if look.rgb is not None]
    told = explanation.model_copy(update={"pictures": len(pictures)})
    start.with_name(f"{start.name}.json").write_text(told.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for number, content in enumerate(pictures, 1):
        start.with_name(f"{start.name}-{number}.png").write_bytes(content)
