# SPDX-License-Identifier: Apache-2.0
"""Several engines as one: participants spread over them, each at one, and go on at another when theirs is away."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config import LivenessSettings, Settings
from monitor.liveness import devices
from monitor.liveness.engine import Engine
from monitor.liveness.worst import Worst
from monitor.processes.engine_server import EngineServer
from monitor.processes.engines import Engines
from monitor.processes.fleet import Fleet
from monitor.processes.remote_engine import Remembered, RemoteEngine
from monitor.values import FaceCrop
from tests.fakes.calls import until
from tests.fakes.detector import FakeDetector
from tests.fakes.timeline import crop

LIVENESS = LivenessSettings(batch_deadline_ms=2.0)


class Room:
    """Two engines behind their sockets, each to be taken away."""

    def __init__(self, folder: Path) -> None:
        self.paths = [folder / "one", folder / "two"]
        self.engines: list[Engine] = []
        self._stacks = [AsyncExitStack() for _ in self.paths]

    async def open(self) -> None:
        """Let both judge."""
        for path, stack in zip(self.paths, self._stacks, strict=True):
            engine = await stack.enter_async_context(Engine(LIVENESS, lambda *_: FakeDetector()))
            await stack.enter_async_context(EngineServer(engine, path))
            self.engines.append(engine)

    async def close(self, number: int) -> None:
        """Take one away."""
        await self._stacks[number].aclose()

    @property
    def tracks(self) -> list[int]:
        """How many tracks each engine has state of."""
        return [engine.counts.tracks for engine in self.engines]


@asynccontextmanager
async def together(folder: Path, first: int = 0) -> AsyncIterator[tuple[Engines, Room]]:
    """Two engines and the lines to them."""
    room = Room(folder)
    await room.open()
    worst: Remembered = Worst()
    async with Engines([RemoteEngine(path, 2.0, worst=worst) for path in room.paths], first) as engines:
        yield engines, room
    for number in range(2):
        await room.close(number)


def shot(media_s: float, participant: str) -> FaceCrop:
    """A look at somebody."""
    return replace(crop(media_s), participant=participant)


async def test_participants_go_where_fewest_are_and_stay(tmp_path: Path) -> None:
    """A place that gets free is taken by the next who comes."""
    async with together(tmp_path) as (engines, room):
        for media_s in (0.0, 0.2):
            for who in ("ann", "bob", "cid"):
                assert await engines.judge([shot(media_s, who)])
        assert room.tracks == [2, 1]
        engines.forget_participant("c", "ann")
        engines.forget_participant("c", "cid")
        await until(lambda: room.tracks == [0, 1])
        await engines.judge([shot(0.4, "dan")])
        assert room.tracks == [1, 1]
        assert (engines.counts.asked, engines.counts.unanswered, engines.connected) == (7, 0, 2)
        assert await engines.judge([]) == ()


async def test_each_process_begins_at_another_engine(tmp_path: Path) -> None:
    """Processes with one participant each would all take the same one."""
    async with together(tmp_path, first=3) as (engines, room):
        await engines.judge([shot(0.0, "ann")])
        assert room.tracks == [0, 1]


async def test_who_was_at_an_engine_that_is_away_begins_anew_at_another(tmp_path: Path) -> None:
    """The others go on, what was worst is kept, and the condition tells who is missing."""
    async with together(tmp_path) as (engines, room):
        for who in ("ann", "bob"):
            await engines.judge([shot(0.0, who)])
        assert (engines.healthy, engines.condition) == (True, "judges")
        await room.close(0)
        await until(lambda: engines.connected == 1)
        assert engines.worst("c", "ann", 1)
        assert await engines.judge([shot(0.2, "ann")])
        assert room.tracks[1] == 2
        assert not engines.healthy
        assert "away" in engines.condition
        await room.close(1)
        await until(lambda: not engines.connected)
        assert await engines.judge([shot(0.4, "ann")]) == ()


async def test_a_fleet_has_as_many_engines_as_asked(tmp_path: Path) -> None:
    """One keeps its name; several are numbered, and all processes share the cores."""
    one, two = (Settings(node={"processes": 2, "engines": count}) for count in (1, 2))
    assert [child.name for child in Fleet(one, tmp_path).children] == ["engine", "ingest-1", "ingest-2"]
    assert [child.name for child in Fleet(two, tmp_path).engines] == ["engine-1", "engine-2"]
    assert (one.node.sharing, two.node.sharing, Settings().node.sharing) == (3, 4, 1)


def test_engines_take_the_gpus_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless one is named, or there is none."""
    assert devices.device_in_turn("cpu", 1) == "cpu"
    monkeypatch.setattr(devices, "resolve_device", lambda name: "cuda" if name == "auto" else name)
    monkeypatch.setattr(devices.torch.cuda, "device_count", lambda: 2)
    assert [devices.device_in_turn("auto", number) for number in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert devices.device_in_turn("cuda:1", 0) == "cuda:1"
