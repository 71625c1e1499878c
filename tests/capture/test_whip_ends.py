# SPDX-License-Identifier: Apache-2.0
"""Sessions that end: without media, by shutdown, by cancellation, and what stepping down does to those that stay."""

import asyncio
import threading

import numpy as np
import pytest

from tests.fakes.calls import Pattern, Publisher, Tone, Watcher, until, whip_server


async def test_session_without_media_is_closed() -> None:
    """Who was answered but never connects gives the place back, and nobody is told of them."""
    watcher = Watcher()
    async with whip_server(watcher, {"connect_timeout_s": 0.5}) as (server, url):
        silent = Pattern()
        silent.playing.clear()
        async with Publisher(f"{url}/call/alice", [silent]):
            assert server.sessions == 1
            await until(lambda: server.sessions == 0)
    assert watcher.feeds == {}


async def test_shutdown_closes_everything() -> None:
    """After the server's exit there are no sessions, feeds, decoder threads or tasks of it left."""
    watcher = Watcher()
    async with whip_server(watcher) as (server, url):
        callers = [Publisher(f"{url}/call/{who}", [Pattern(), Tone()]) for who in ("alice", "bob")]
        for caller in callers:
            await caller.__aenter__()
        await asyncio.gather(watcher.more("alice", 2), watcher.more("bob", 2))
        await server.aclose()
        assert server.sessions == 0
        assert sorted(watcher.ended) == ["alice", "bob"]
        assert not [thread.name for thread in threading.enumerate() if thread.name.endswith("-decoder")]
        for caller in callers:
            caller.status = 0
            await caller.__aexit__()
    names = [task.get_name() for task in asyncio.all_tasks()]
    assert not [name for name in names if name.startswith(("whip", "receive", "drain", "sound", "bitrate"))]


async def test_cancelled_server_closes_everything() -> None:
    """Cancellation of whoever runs the server goes through to every session."""
    watcher, ready = Watcher(), asyncio.Event()
    caller: list[Publisher] = []

    async def serve() -> None:
        async with whip_server(watcher) as (_, url):
            caller.append(Publisher(f"{url}/call/alice", [Pattern()]))
            await caller[0].__aenter__()
            await watcher.more("alice", 1)
            ready.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(serve())
    await ready.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert watcher.ended == ["alice"]
    caller[0].status = 0
    await caller[0].__aexit__()
    assert not [thread.name for thread in threading.enumerate() if thread.name.endswith("-decoder")]


async def test_stepping_down_takes_effect() -> None:
    """The rate of a running feed can be lowered, as the pipeline does under load."""
    watcher = Watcher()
    async with whip_server(watcher) as (_, url), Publisher(f"{url}/call/alice", [Pattern()]):
        await watcher.more("alice", 3)
        watcher.feeds["alice"][0].samples_per_s = 2
        await watcher.more("alice", 1)
        frames = await watcher.more("alice", 3)
    assert np.diff([frame.media_s for frame in frames]) == pytest.approx([0.5, 0.5], abs=0.08)
