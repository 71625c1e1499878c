# SPDX-License-Identifier: Apache-2.0
"""A process kept alive: heard to the end, started again, refused, stopped."""

import asyncio
import signal
from collections.abc import Sequence

import pytest

from monitor.errors import ModelError, ProcessError
from monitor.processes import child as child_module
from monitor.processes.child import Child
from monitor.processes.crew import Crew
from monitor.processes.messages import CallEnded, Ready, Refused, Report
from tests.fakes.calls import until

NEWS = (CallEnded("a"), CallEnded("b"))


class Ear:
    """Hears a child, and when it is lost."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.lost_after: list[int] = []

    async def hear(self, message: object) -> None:
        """One thing it said."""
        self.heard.append(message)

    async def lost(self) -> None:
        """It is gone."""
        self.lost_after.append(len(self.heard))

    def child(self, *script: object, silent_s: float = 20.0) -> Child:
        """A child with this script."""
        return Child(
            "ingest", "ingest-1", script, self.hear, self.lost, silent_s=silent_s, program="tests.fakes.process"
        )


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restarts wait for a hundredth of a second."""
    monkeypatch.setattr(child_module, "FIRST_RESTART_S", 0.01)


async def test_a_killed_process_is_replaced_after_all_it_said_was_heard() -> None:
    """Here it is killed right behind its last words; so is the one in its place."""
    ear = Ear()
    child = ear.child(Ready(), *NEWS, signal.SIGKILL)
    async with Crew([child], 10.0):
        await until(lambda: child.restarts)
    assert child.pid is None
    assert tuple(ear.heard[:3]) == (Ready(), *NEWS)
    assert ear.lost_after[0] == 3


async def test_a_silent_process_is_replaced() -> None:
    """One whose loop is stuck answers nobody; its last report is forgotten."""
    ear = Ear()
    report = Report(frozenset({("a", "ann")}))
    child = ear.child(Ready(), report, "deaf", silent_s=0.3)
    async with Crew([child], 0.5):
        await until(lambda: child.report == report)
        await until(lambda: child.restarts)
        assert child.report == Report()


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ((Refused("model", "The weights were altered.", "Install them."),), ModelError),
        ((signal.SIGKILL,), ProcessError),
    ],
)
async def test_what_cannot_start_at_first_is_said_and_not_tried_again(
    script: Sequence[object], error: type[Exception]
) -> None:
    """With the error of the other process, or with one of our own when it just ended."""
    ear = Ear()
    child = ear.child(*script)
    with pytest.raises(error):
        async with Crew([child], 10.0):
            pass
    assert (child.restarts, ear.lost_after) == (0, [])


async def test_a_process_that_does_not_stop_is_killed() -> None:
    """After the time it had."""
    child = Ear().child(Ready(), "deaf")
    before_s = asyncio.get_running_loop().time()
    async with Crew([child], 0.2):
        pass
    assert asyncio.get_running_loop().time() - before_s < 10.0
    assert child.pid is None
