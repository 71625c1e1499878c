# SPDX-License-Identifier: Apache-2.0
"""One process beside several: whose time is counted as what, and the table of it."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from monitor.bench.child import Cores
from monitor.bench.probe import BROKER, STAGES, Counts, by_kind
from monitor.bench.processes import Spread, rows
from monitor.bench.report import measured
from monitor.bench.reports import counted, kinds_of, renewed
from monitor.bench.trial import Bench
from monitor.config import Settings
from monitor.errors import ProcessError
from monitor.metrics import Reading
from monitor.processes.messages import Report
from tests.bench.test_comparison import MARKS, hearing, stat


@dataclass
class FakeChild:
    """A process that has reported these numbers."""

    name: str
    kind: str
    pid: int | None = 7
    restarts: int = 0
    report: Report = field(default_factory=Report)


def reporting(name: str, kind: str, **numbers: float) -> FakeChild:
    """A child with a report of them."""
    families = tuple(Reading(each, "", lambda value=value: value).family() for each, value in numbers.items())
    return FakeChild(name, kind, report=Report(families=families))


def spread(processes: int, **seconds: float) -> Spread:
    """A minute of one participant with so many processes, of which the children used these seconds by the end."""
    first, early, last = MARKS
    before = dict.fromkeys(seconds, 0.0)
    marks = [replace(first, processes_s=before), replace(early, processes_s=before), replace(last, processes_s=seconds)]
    return Spread(processes, measured(marks, {"ann": 100.0}, hearing(0.1), 0.001))


def test_what_all_processes_report_is_added_up():
    """Frames by those that take calls, faces judged by the engine; numbers of other things are left out."""
    found = counted(
        [
            reporting("engine", "engine", liveness_crops_total=90.0, liveness_tracks=float("nan")),
            reporting("ingest-1", "ingest", capture_received_frames=600.0, capture_sampled_frames=100.0),
            reporting("ingest-2", "ingest", capture_sampled_frames=20.0, capture_dropped_frames=5.0),
        ]
    )
    assert found == Counts(600, 115, 90)


def test_a_process_that_ended_spoils_the_measurement():
    """What it had used cannot be told any more, so nothing is told."""
    children = [FakeChild("engine", "engine", 11), FakeChild("ingest-1", "ingest", 12)]
    assert kinds_of(children) == {11: "engine", 12: "ingest"}
    for lost in (FakeChild("ingest-2", "ingest", 13, restarts=1), FakeChild("ingest-2", "ingest", None)):
        with pytest.raises(ProcessError, match="ingest-2"):
            kinds_of([*children, lost])


async def test_counts_are_read_when_all_have_reported_anew():
    """Not as soon as the first has."""
    children = [FakeChild("engine", "engine"), FakeChild("ingest-1", "ingest")]
    waiting = asyncio.create_task(renewed(children))
    await asyncio.sleep(0)
    children[0].report = Report()
    await asyncio.sleep(0.02)
    assert not waiting.done()
    children[1].report = Report()
    async with asyncio.timeout(5.0):
        await waiting


def test_time_of_processes_is_told_by_what_they_are():
    """Two of a kind are added up."""
    stats = {11: stat(11, 300, 100), 12: stat(12, 50, 0), 13: stat(13, 25, 25)}
    assert by_kind(stats, {11: "engine", 12: "ingest", 13: "ingest"}) == {"engine": 4.0, "ingest": 1.0}


def test_the_table_holds_several_processes_against_one():
    """All processes' time counts; the main process is told without its broker."""
    found = [spread(0), spread(1, engine=30.0, ingest=6.0)]
    assert found[1].found.cpu_total_percent == pytest.approx(found[0].found.cpu_total_percent + 60.0)
    table = {name: values for name, *values in rows(found)}
    assert table["CPU of one core per stream"] == ["90.0 %", "150.0 %"]
    assert table["– main process"] == [f"{10.0 * (len(STAGES) - 1):.1f} %"] * 2
    assert table["– engine"] == ["–", "50.0 %"]
    assert table["– ingest"] == ["–", "10.0 %"]
    assert table[f"– {BROKER}"] == ["10.0 %", "10.0 %"]
    assert table["beside one process"] == ["1.00 ×", "1.67 ×"]
    assert table["frame to verdict, median"] == ["100 ms", "100 ms"]


def test_lifesign_is_started_over_as_many_processes():
    """Whatever the user's own settings say: each way is measured."""
    settings = Settings(node={"processes": 5})
    bench = Bench(settings, Path("clip"), Path("folder"), 2, 30.0, Cores(0, 1))
    assert bench._tree("lifesign", "token")["node"] == {"processes": 0}
    assert bench.over(2)._tree("lifesign", "token")["node"] == {"processes": 2}
