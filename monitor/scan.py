# SPDX-License-Identifier: Apache-2.0
"""Recordings in, verdicts as of a live call and one summary per file out."""

import asyncio
import json as jsonlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from monitor import assets
from monitor.cadence import due
from monitor.capture.replay import Replay
from monitor.config import Settings
from monitor.errors import FileError, MediaError
from monitor.finders import Finders
from monitor.liveness.detector import Load
from monitor.liveness.engine import Engine
from monitor.pipeline import Stages, watch
from monitor.policy.participant import Decision, ParticipantPolicy
from monitor.policy.summary import summarise
from monitor.publish.builder import EventBuilder
from monitor.publish.explanations.report import Report
from monitor.publish.identity import identify
from monitor.values import Evidence, State, Verdict

__all__ = ["MEDIA_SUFFIXES", "expand", "scan"]

MEDIA_SUFFIXES: Final = frozenset(
    {".avi", ".bmp", ".flv", ".ivf", ".jpeg", ".jpg", ".m4v", ".mkv", ".mov"}
    | {".mp4", ".mpeg", ".mpg", ".png", ".ts", ".webm", ".y4m"}
)
"""Files that a folder stands for; a file named by itself is tried whatever it is called."""

FILES_AT_ONCE: Final = max(2, os.cpu_count() or 2)
CALL: Final = "scan"
SOMETIMES: Final = ("score", "measure", "origin")
"""Numbers of evidence that may not be there."""


@dataclass(slots=True)
class _Recording:
    """One file on its way: `lines` are its JSON objects in order, the last one its summary or its error."""

    file: str
    policy: ParticipantPolicy
    lines: list[dict[str, Any]] = field(default_factory=list)
    said: Verdict | None = None
    seconds: float = 0.0
    report: Report = field(default_factory=Report)

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1]


def expand(files: Sequence[str]) -> Iterator[str]:
    """Give the files and addresses named, each folder replaced by the media under it in order.

    Raises FileError for a folder without media.
    """
    for name in files:
        if "://" in name or not Path(name).is_dir():
            yield name
            continue
        found = sorted(str(path) for path in Path(name).rglob("*") if path.suffix.lower() in MEDIA_SUFFIXES)
        if not found:
            raise FileError(f"{name} has no media files in it.", f"Known endings: {' '.join(sorted(MEDIA_SUFFIXES))}.")
        yield from found


async def scan(
    settings: Settings,
    files: Sequence[str],
    *,
    json: bool = False,
    strict: bool = False,
    evidence: bool = False,
    explain: Path | None = None,
    load: Load | None = None,
) -> int:
    """Judge recordings, a few at once, as fast as the machine can; one that cannot be played stops no other.

    Outcomes are printed in the order of the files, with `evidence` each cue's word on each look among them; what each
    alert rests on, pictures of the face included, is written to the folder `explain`. Returns 1
    when a file could not be judged, or with `strict` when one was alerted; else 0. `load` makes the detector from its
    name and a device; the shipped weights when None.
    """
    names = list(expand(files))
    outcomes = []
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(Engine(settings.liveness, load, pictures=explain is not None))
        landmarks = assets.path("face_landmarker", settings.paths.cache)
        finders = Finders(settings.faces, landmarks, engine.crop_px, surroundings=engine.surroundings)
        stack.callback(finders.close)
        bar = stack.enter_context(Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()))
        shown = bar.add_task("scan", total=len(names))
        scanner = _Scanner(settings, finders, engine, evidence=evidence, explain=explain)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [group.create_task(scanner.judge(*item), name=f"scan {item[1]}") for item in enumerate(names, 1)]
        for task in tasks:
            outcomes.append(await task)
            _print(outcomes[-1], json=json)
            bar.advance(shown)
    return _exit_code([outcome.last for outcome in outcomes], strict=strict)


class _Scanner:
    """Judges one file with the stages that all files share."""

    def __init__(
        self, settings: Settings, finders: Finders, engine: Engine, *, evidence: bool, explain: Path | None
    ) -> None:
        self._settings = settings
        self._explain = explain
        self._evidence = evidence
        self._finders = finders
        self._engine = engine
        self._room = asyncio.Semaphore(FILES_AT_ONCE)
        identity = identify(settings, version("lifesign"), engine.identity)
        self._events = EventBuilder(identity, lambda: CALL, lambda: datetime.now(UTC))

    async def judge(self, number: int, file: str) -> _Recording:
        """Run one file through the pipeline; an error of the file becomes its last line."""
        who = f"file-{number}"
        ids = (f"{who}-alert-{index}" for index in count(1))
        recording = _Recording(file, ParticipantPolicy(CALL, who, self._settings.policy.profile, lambda: next(ids)))
        async with self._room:
            replay = Replay(file, CALL, who, self._settings.capture, pace="fast")
            try:
                await watch(replay, self._stages(recording))
                if self._explain is not None:
                    await asyncio.to_thread(recording.report.write, self._explain, file)
                recording.lines.append(_summary(recording))
            except MediaError as error:
                broken = {"code": error.code, "what": error.what, "advice": error.advice}
                recording.lines.append({"event": "error", "file": file, **broken})
            finally:
                await replay.close()
        return recording

    def _stages(self, recording: _Recording) -> Stages:
        async def deliver(decision: Decision) -> None:
            alerts = [("alert", self._events.alert(alert).data) for alert in decision.alerts]
            for _, alert in alerts:
                recording.report.take(alert, self._engine.worst(CALL, alert.participant, alert.track))
            verdicts = [("verdict", self._events.verdict(decision.verdict).data)]
            recording.seconds = max(recording.seconds, decision.verdict.media_s)
            news = due(recording.said, decision.verdict)
            recording.said = decision.verdict if news else recording.said
            if self._evidence:
                recording.lines.extend(_word(recording.file, each) for each in decision.evidence)
            for event, data in alerts + (verdicts if news else []):
                told = data.model_dump(mode="json", exclude={"call", "participant"})
                recording.lines.append({"event": event, "file": recording.file, **told})

        return Stages(
            self._finders,
            self._engine,
            lambda _call, _participant: recording.policy,
            deliver,
            adaptive=self._settings.capture.adaptive,
            resting=self._settings.liveness.resting,
        )


def _word(file: str, said: Evidence) -> dict[str, Any]:
    """One cue's word on one look, numbers rounded to what they are worth."""
    numbers = {name: round(getattr(said, name), 4) for name in ("media_s", "llr_nats", "reliability")}
    known = {name: None if (value := getattr(said, name)) is None else round(value, 4) for name in SOMETIMES}
    rest = {"kinds": dict(said.kinds), "sentence": said.sentence}
    return {"event": "evidence", "file": file, "cue": said.cue, "track": said.track, **numbers, **known, **rest}


def _summary(recording: _Recording) -> dict[str, Any]:
    reasons = recording.said.reasons if recording.said else ()
    return summarise(recording.file, recording.seconds, recording.policy.faces, reasons)


def _print(recording: _Recording, *, json: bool) -> None:
    if json:
        lines = [jsonlib.dumps(line, ensure_ascii=False) for line in recording.lines]
    elif (last := recording.last)["event"] == "error":
        sys.stderr.write(f"error [{last['code']}] {last['what']}\n  {last['advice']}\n")
        lines = []
    else:
        lines = [_words(recording.last)]
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _words(summary: dict[str, Any]) -> str:
    """One line for people: state, score, what speaks for it or why nothing can be said."""
    score = "    -" if summary["score"] is None else f"{summary['score']:5.2f}"
    alerted = "" if summary["first_alert_s"] is None else f"  alert at {summary['first_alert_s']:.1f} s"
    kinds = "" if summary["state"] not in {State.ALERT, State.SUSPECT} else "  " + ", ".join(summary["kinds"])
    reasons = "" if not summary["reasons"] else "  (" + ", ".join(summary["reasons"]) + ")"
    return f"{summary['state']:<12} {score}  {summary['judged_s']:6.1f} s  {summary['file']}{alerted}{kinds}{reasons}"


def _exit_code(lasts: Sequence[dict[str, Any]], *, strict: bool) -> int:
    broken = any(last["event"] == "error" for last in lasts)
    alerted = strict and any(last.get("state") == State.ALERT for last in lasts)
    return 1 if broken or alerted else 0
