# SPDX-License-Identifier: Apache-2.0
"""Face finding runs off the loop, and a cancelled look never meets a closed finder."""

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest

from monitor import finders
from monitor.config import FacesSettings
from monitor.finders import Finders
from monitor.values import FaceLook, Frame, Picture

FRAME = Frame("call", "ann", 1.0, 1.0, Picture(np.zeros((24, 16), np.uint8)))


class SlowFinder:
    """Looks for as long as the test wants, and notes what happened in which order."""

    said: list[str]
    go_on: threading.Event
    looking: threading.Event

    def __init__(self, *_: object, **__: object) -> None:
        """Take what a real finder takes."""

    def look(self, frame: Frame) -> FaceLook:
        """Wait for the test, then answer."""
        self.looking.set()
        assert self.go_on.wait(10)
        self.said.append(f"looked in {threading.current_thread().name}")
        return FaceLook(frame.media_s)

    def close(self) -> None:
        """Note it."""
        self.said.append("closed")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> type[SlowFinder]:
    """Finders open SlowFinder instead of the real one."""
    SlowFinder.said, SlowFinder.go_on, SlowFinder.looking = [], threading.Event(), threading.Event()
    monkeypatch.setattr(finders, "FaceFinder", SlowFinder)
    return SlowFinder


async def test_the_loop_turns_while_a_thread_looks(slow: type[SlowFinder]) -> None:
    """A look waits in its own thread; meanwhile others run, and one frame is counted as waiting."""
    pool = Finders(FacesSettings(), Path("unused"), 112)
    async with pool.open("call", "ann") as look:
        looking = asyncio.create_task(look(FRAME))
        await asyncio.to_thread(slow.looking.wait)
        assert pool.waiting == 1
        slow.go_on.set()
        assert (await looking).media_s == 1.0
        assert pool.waiting == 0
    assert slow.said[0].startswith("looked in faces_")
    assert slow.said[1:] == ["closed"]
    pool.close()


async def test_a_cancelled_look_is_over_before_its_finder_closes(slow: type[SlowFinder]) -> None:
    """Closing waits for the thread that still looks."""
    pool = Finders(FacesSettings(), Path("unused"), 112)

    async def participant() -> None:
        async with pool.open("call", "ann") as look:
            await look(FRAME)

    task = asyncio.create_task(participant())
    await asyncio.to_thread(slow.looking.wait)
    task.cancel()
    await asyncio.sleep(0)
    slow.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.said[0].startswith("looked")
    assert slow.said[-1] == "closed"
    pool.close()
