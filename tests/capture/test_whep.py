# SPDX-License-Identifier: Apache-2.0
"""Pulling a participant from a media server by WHEP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from monitor.capture.whep import WhepClient
from monitor.config import CaptureSettings, PullSettings, Settings
from tests.fakes.calls import Watcher, serving, until
from tests.fakes.whep import MediaServer

FAST = {"samples_per_s": 10, "backoff_initial_s": 0.05, "backoff_max_s": 0.4}


@contextlib.asynccontextmanager
async def pulling(
    media: MediaServer,
    watcher: Watcher,
    token: str | None = None,
    url: str | None = None,
    busy: Callable[[], str | None] = lambda: None,
    **capture: float,
) -> AsyncIterator[WhepClient]:
    """A client that pulls alice from the media server for as long as the block lasts."""
    settings = Settings(capture=CaptureSettings(**{**FAST, **capture}))
    async with serving(media.app) as base:
        pull = PullSettings(call="board", participant="alice", url=url or f"{base}/whep", token=token)
        client = WhepClient(settings, pull, watcher.admit, busy)
        task = asyncio.create_task(client.run(), name="pull")
        try:
            yield client
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await media.close()


async def test_participant_is_pulled() -> None:
    """The media server's stream is a feed like any other, with token, sound and a clean end (DELETE)."""
    media, watcher = MediaServer(token="guest"), Watcher()
    async with pulling(media, watcher, token="guest") as client:
        frames = await watcher.more("alice", 5)
        await until(lambda: client.error is None)
        assert watcher.feeds["alice"][0].heard(0.2)
    assert {(frame.call, frame.participant, frame.facts.codec) for frame in frames} == {("board", "alice", "vp8")}
    assert client.attempts == 1
    assert media.requests == ["POST", "DELETE"]
    assert watcher.ended == ["alice"]


@pytest.mark.parametrize(
    ("status", "word"), [(401, "token"), (404, "not be there yet"), (500, "log"), (503, "log"), (0, "speaks WHEP")]
)
async def test_refusals_are_told_and_tried_again(status: int, word: str) -> None:
    """Whatever the server answers: an error with advice, and the pull works once the server does."""
    media, watcher = MediaServer(status, status), Watcher()
    async with pulling(media, watcher) as client:
        await until(lambda: client.error is not None)
        assert client.error is not None
        assert client.error.code == "pull"
        assert word in client.error.advice
        await watcher.more("alice", 2)
        assert client.attempts == 3
        await until(lambda: client.error is None)
    assert len(watcher.feeds["alice"]) == 1


async def test_a_busy_node_puts_a_pull_off_and_keeps_the_one_it_has() -> None:
    """Nobody is called while there is no room; once taken in, a participant is connected anew without asking."""
    media, watcher, why = MediaServer(), Watcher(), ["There is no processor time."]
    async with pulling(media, watcher, busy=lambda: why[0] if why else None) as client:
        await until(lambda: client.refused_count >= 2)
        assert client.error is not None
        assert (client.error.what, client.taken_in, media.requests) == (why[0], False, [])
        why.clear()
        await watcher.more("alice", 1)
        why.append("There is no processor time again.")
        await media.close()
        await watcher.more("alice", 1)
        assert (client.taken_in, client.attempts) == (True, 2)


async def test_unreachable_server_is_an_error_not_an_end() -> None:
    """A refused connection is told, and tried at growing intervals."""
    media, watcher = MediaServer(), Watcher()
    async with pulling(media, watcher, url="http://127.0.0.1:9/whep") as client:
        await until(lambda: client.attempts >= 4)
        assert client.error is not None
        assert "cannot be reached" in client.error.what
    assert watcher.feeds == {}


async def test_cut_is_a_gap_in_the_same_feed() -> None:
    """A server that hangs up is called again; media time goes on over the gap."""
    media, watcher = MediaServer(), Watcher()
    async with pulling(media, watcher, stall_after_s=0.5) as client:
        before = (await watcher.more("alice", 4))[-1]
        await media.connections[0].close()
        after = (await watcher.more("alice", 4))[-1]
        assert client.attempts == 2
    assert len(watcher.feeds["alice"]) == 1
    assert after.media_s - before.media_s == pytest.approx(after.arrived_s - before.arrived_s, abs=0.6)
    times = [frame.media_s for frame in watcher.frames("alice")]
    assert times == sorted(times)
    assert watcher.feeds["alice"][0].counts.breaks == 1


async def test_long_absence_is_a_new_feed() -> None:
    """When the server stays away, the feed stalls and ends; media that come later make a new one."""
    media, watcher = MediaServer(), Watcher()
    async with pulling(media, watcher, stall_after_s=0.3, end_after_s=1.0):
        await watcher.more("alice", 2)
        media.script = [404] * 5
        await media.connections[0].close()
        await until(lambda: watcher.ended == ["alice"])
        assert watcher.stalls("alice")
        await until(lambda: len(watcher.feeds["alice"]) == 2)
        await watcher.more("alice", 2)


async def test_frozen_connection_is_given_up() -> None:
    """A connection that stays up but carries no pictures is left, and a fresh one tried."""
    media, watcher = MediaServer(), Watcher()
    async with pulling(media, watcher, stall_after_s=0.4, end_after_s=2.0) as client:
        await watcher.more("alice", 2)
        media.cameras[0].playing.clear()
        await until(lambda: client.attempts == 2)
        await watcher.more("alice", 2)
    assert media.requests[:3] == ["POST", "DELETE", "POST"]


async def test_failing_pipeline_does_not_end_the_pull() -> None:
    """An exception of the pipeline ends that feed; the participant is pulled anew."""
    media, watcher = MediaServer(), Watcher()
    watcher.fail_for.add("alice")
    async with pulling(media, watcher):
        await until(lambda: watcher.ended == ["alice"])
        watcher.fail_for.clear()
        await until(lambda: len(watcher.feeds["alice"]) >= 2)
        await watcher.more("alice", 2)
