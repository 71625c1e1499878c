# SPDX-License-Identifier: Apache-2.0
"""The logs of a contest and of the same steps without it in, Markdown out."""

import json
from pathlib import Path
from typing import Any

from models.evaluation.tables import markdown

__all__ = ["report"]

LOG = "log.jsonl"


def report(run: Path, plain: Path) -> str:
    """One table of rounds for each that was played; the rounds dropped are shown too."""
    parts = [_section("With the search", run / LOG), _section("The same steps without", plain / LOG)]
    return "\n".join(part for part in parts if part)


def _section(title: str, log: Path) -> str:
    if not log.exists():
        return ""
    lines = [json.loads(text) for text in log.read_text(encoding="utf-8").splitlines() if text.endswith("}")]
    labels = sorted(lines[0]["labels"])
    head = ("round", "kept", "found", "passed on fresh clips", "macro AUC", "halves", *labels)
    return f"### {title}\n\n{markdown(head, [_row(line, labels) for line in lines])}"


def _row(line: dict[str, Any], labels: list[str]) -> tuple[str, ...]:
    found = line.get("found", [])
    passed = ", ".join(f"{one['kind']} {one['fooled']:.2f} (plain {one['plain']:.2f})" for one in found)
    halves = " / ".join(f"{value:.3f}" for value in line["halves"])
    kept = {True: "yes", False: "no", None: "start"}[line.get("kept")]
    figures = (f"{line['labels'][label]:.3f}" for label in labels)
    return (str(line["round"]), kept, str(len(found)), passed, f"{line['macro']:.3f}", halves, *figures)
