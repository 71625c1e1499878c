# SPDX-License-Identifier: Apache-2.0
"""An engine behind a socket: judges as one in the same process does; killed, it is missed and comes back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitor.config import LivenessSettings, Settings
from monitor.liveness.engine import Engine
from monitor.processes.child import Child
from monitor.processes.crew import Crew
from monitor.processes.engine_server import EngineServer
from monitor.processes.messages import EngineStart
from monitor.processes.remote_engine import RemoteEngine
from tests.fakes.calls import until
from tests.fakes.detector import FakeDetector
from tests.fakes.slow import bright
from tests.fakes.timeline import crop

LIVENESS = LivenessSettings(batch_deadline_ms=2.0)


@asynccontextmanager
async def here(folder: Path, fake: FakeDetector | None = None, **remote) -> AsyncIterator[tuple]:
    """Engine, its server and a line to it, all in this process."""
    path = folder / "engine"
    async with (
        Engine(LIVENESS, lambda *_: fake or FakeDetector()) as engine,
        EngineServer(engine, path) as server,
        RemoteEngine(path, 2.0, **remote) as line,
    ):
        yield engine, server, line


async def test_evidence_is_what_an_engine_at_hand_says(tmp_path: Path) -> None:
    """Of several tracks over several looks, in their order, with the same worst looks remembered."""
    async with here(tmp_path, pictures=True) as (_, _, line), Engine(LIVENESS, lambda *_: FakeDetector()) as at_hand:
        for index in range(4):
            shots = [crop(index / 1.1, track, level=60 * track + index) for track in (3, 1, 2)]
            assert await line.judge(shots) == await at_hand.judge(shots)
        found, wanted = line.worst("c", "p", 3), at_hand.worst("c", "p", 3)
    assert [(look.media_s, look.logit) for look in found] == [(look.media_s, look.logit) for look in wanted]
    np.testing.assert_array_equal(found[0].boundary, wanted[0].boundary)
    assert found[0].rgb is not None
    assert (line.crop_px, line.surroundings) == (at_hand.crop_px, at_hand.surroundings)


async def test_tracks_are_forgotten_over_the_line(tmp_path: Path) -> None:
    """One that ended, those of who left, and those of a process that is gone."""
    async with here(tmp_path) as (engine, server, line):
        await line.judge([crop(0.0, 1), crop(0.0, 2), replace(crop(0.0), participant="q")])
        line.forget("c", "p", 1)
        await until(lambda: engine.counts.tracks == 2)
        line.forget_participant("c", "p")
        await until(lambda: engine.counts.tracks == 1)
        assert line.worst("c", "p", 2) == ()
        async with RemoteEngine(tmp_path / "engine", 2.0) as other:
            await other.judge([replace(crop(0.0), participant="r")])
            assert (engine.counts.tracks, server.clients) == (2, 2)
        await until(lambda: engine.counts.tracks == 1)


async def test_more_looks_than_slots_the_newest_win(tmp_path: Path) -> None:
    """The oldest get no answer, at once, and are counted; every other one is judged."""
    async with here(tmp_path, slots=4) as (_, _, line):
        asked = [replace(crop(0.0), participant=f"p{each}") for each in range(10)]
        answers = await asyncio.gather(*(line.judge([shot]) for shot in asked))
    assert [bool(answer) for answer in answers] == [False] * 6 + [True] * 4
    assert (line.counts.overwritten, line.counts.unanswered, line.counts.late) == (6, 6, 0)


async def test_a_batch_that_fails_says_nothing(tmp_path: Path) -> None:
    """And the next one speaks again."""
    async with here(tmp_path, FakeDetector(fail_at=frozenset({1}))) as (_, server, line):
        assert await line.judge([crop(0.0)])
        assert await line.judge([crop(0.2)]) == ()
        assert not line.healthy
        assert await line.judge([crop(0.4)])
        assert line.healthy
    assert server.failed == 1


async def test_what_cannot_be_judged_costs_its_own_answer(tmp_path: Path) -> None:
    """A crop of the wrong side, and one that fits no slot."""
    async with here(tmp_path) as (_, _, line):
        assert await line.judge([crop(0.0, side=9)]) == ()
        assert await line.judge([crop(0.0, side=700)]) == ()
        assert line.counts.too_large == 1
        assert await line.judge([crop(0.0)])


async def nothing(*_: object) -> None:
    """Nobody listens."""


@pytest.mark.timeout(60)
async def test_an_engine_killed_in_the_middle_of_a_batch_is_missed_and_comes_back(tmp_path: Path) -> None:
    """Its looks get no answer at once, nobody hangs; a new process judges the same tracks anew."""
    start = EngineStart(Settings(liveness=LIVENESS), str(tmp_path / "engine"), bright)
    child = Child("engine", "engine", start, nothing, nothing)
    async with Crew([child], 5.0), RemoteEngine(tmp_path / "engine", 30.0) as line:
        assert await line.judge([crop(0.0)])
        asked = asyncio.create_task(line.judge([crop(0.2, level=255)]))
        await until(lambda: line.waiting)
        os.kill(child.pid, signal.SIGKILL)
        assert await asked == ()
        assert await line.judge([crop(0.4)]) == ()
        assert not line.healthy
        await until(lambda: line.connected, 30.0)
        assert child.restarts == 1
        assert await line.judge([crop(0.6)])
    assert child.pid is None
