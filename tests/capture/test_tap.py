# SPDX-License-Identifier: Apache-2.0
"""The tap alone, on scripted time."""

import asyncio
import fractions
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
from av import VideoFrame

from monitor.capture import tap as tap_module
from monitor.capture.feed import Feed
from monitor.capture.picture import picture_of
from monitor.capture.replay import Replay
from monitor.capture.tap import Tap
from monitor.config import CaptureSettings
from monitor.values import Frame, Picture, Stall
from tests.fakes.calls import until
from tests.fakes.clips import pattern


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def pool() -> Iterator[Executor]:
    """One thread."""
    with ThreadPoolExecutor(1) as threads:
        yield threads


def picture(stamp_s: float, size: tuple[int, int] = (32, 32)) -> VideoFrame:
    """A decoded picture with an RTP timestamp."""
    made = pattern(*size, 0)
    made.pts, made.time_base = round(stamp_s * 90_000), fractions.Fraction(1, 90_000)
    return made


def tap_of(pool: Executor, time: Time, **settings: float) -> Tap:
    """A tap that samples 10 frames/s."""
    return Tap("call", "alice", CaptureSettings(**{"samples_per_s": 10, **settings}), pool, time)


async def test_feeds_are_feeds(pool: Executor) -> None:
    """Both kinds of feed have all that the pipeline asks of one."""
    replay = Replay("none", "call", "file", CaptureSettings())
    assert isinstance(tap_of(pool, Time()), Feed)
    assert isinstance(replay, Feed)
    await replay.close()


async def test_newest_sample_is_handed_over(pool: Executor) -> None:
    """Of a second of pictures that nobody read, the last that was due comes; the counters account for all."""
    time = Time()
    tap = tap_of(pool, time)
    for step in range(30):
        tap.see(picture(500 + step / 30))
        time.now_s += 1 / 30
    media = tap.media()
    frame = await anext(media)
    assert isinstance(frame, Frame)
    assert frame.media_s == pytest.approx(0.9, abs=0.01)
    assert frame.arrived_s == pytest.approx(1000.9, abs=0.01)
    await tap.close()
    with pytest.raises(StopAsyncIteration):
        await anext(media)
    counts = tap.counts
    assert (counts.received, counts.sampled, counts.dropped, counts.yielded) == (30, 10, 9, 1)
    tap.see(picture(501))
    assert tap.closed


async def test_silence_is_told_then_ends(pool: Executor) -> None:
    """A stall says since when; silence beyond the limit ends the feed."""
    time = Time()
    tap = tap_of(pool, time, stall_after_s=2, end_after_s=30)
    tap.see(picture(0))
    media = tap.media()
    assert isinstance(await anext(media), Frame)
    time.now_s += 2.5
    assert await anext(media) == Stall("call", "alice", 1000.0, 1002.5)
    time.now_s += 1.0
    assert await anext(media) == Stall("call", "alice", 1000.0, 1003.5)
    time.now_s += 30
    with pytest.raises(StopAsyncIteration):
        await anext(media)
    assert tap.counts.stalls == 1


async def test_picture_that_cannot_be_converted_is_passed_over(pool: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    """One broken picture is counted, and the next one comes."""

    def converted(frame: VideoFrame) -> Picture:
        if frame.width == 16:
            raise ValueError("scripted")
        return picture_of(frame)

    monkeypatch.setattr(tap_module, "picture_of", converted)
    tap = tap_of(pool, Time())
    media = tap.media()
    tap.see(picture(0, (16, 16)))
    waiting = asyncio.ensure_future(anext(media))
    await until(lambda: tap.counts.failed)
    tap.see(picture(0.2))
    frame = await waiting
    assert isinstance(frame, Frame)
    assert frame.media_s == pytest.approx(0.2)
    assert (tap.counts.failed, tap.counts.yielded) == (1, 1)
    await media.aclose()
