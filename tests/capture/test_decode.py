# SPDX-License-Identifier: Apache-2.0
"""Decoding on threads that all streams share."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import av
import numpy as np
import pytest

from monitor.capture.decode import BACKLOG, OLDEST_S, Decoder, Job
from monitor.capture.unit import Unit
from monitor.values import Picture
from tests.fakes.calls import until
from tests.fakes.clips import h264_packets
from tests.fakes.rtp import vp8_pictures


@pytest.fixture
def pool() -> Iterator[Executor]:
    """One thread."""
    with ThreadPoolExecutor(1) as threads:
        yield threads


class Screen:
    """Keeps what a decoder shows and fails at."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, Picture]] = []
        self.failed: list[int] = []

    def show(self, job: Job, picture: Picture) -> None:
        self.shown.append((job.unit.stamp, picture))

    def fail(self, job: Job) -> None:
        self.failed.append(job.unit.stamp)

    @property
    def stamps(self) -> list[int]:
        return [stamp for stamp, _ in self.shown]


def job(step: int, data: bytes, *, picked: bool = True, keyframe: bool = False, codec: str = "vp8") -> Job:
    """A job of a picture that came at second `step`."""
    return Job(Unit(codec, data, step, float(step), keyframe), step / 30, picked)


async def test_only_picked_pictures_are_shown(pool: Executor) -> None:
    """References are decoded in silence; what is shown is what was picked, in order."""
    screen = Screen()
    decoder = Decoder(pool, screen.show, screen.fail)
    for step, data in enumerate(vp8_pictures(12)):
        decoder.put(job(step, data, picked=step % 4 == 0, keyframe=step == 0))
    await until(lambda: decoder.decoded_s == 11.0)
    await until(lambda: len(screen.shown) == 3)
    assert screen.stamps == [0, 4, 8]
    assert {(each.width_px, each.height_px) for _, each in screen.shown} == {(160, 120)}


async def test_garbage_waits_for_a_keyframe(pool: Executor) -> None:
    """After a picture that cannot be decoded the next ones are thrown away up to a keyframe; the loop hears of it."""
    screen, pictures = Screen(), vp8_pictures(8, keyframes=(0, 6))
    decoder = Decoder(pool, screen.show, screen.fail)
    for step, data in enumerate(pictures):
        decoder.put(job(step, b"\x10" if step == 3 else data, keyframe=step in {0, 6}))
    await until(lambda: screen.stamps[-1:] == [7])
    assert screen.stamps == [0, 1, 2, 6, 7]
    assert screen.failed == [3]


async def test_codec_may_change(pool: Executor) -> None:
    """A stream that goes over from VP8 to H.264 gets another decoder."""
    screen = Screen()
    decoder = Decoder(pool, screen.show, screen.fail)
    decoder.put(job(0, vp8_pictures(1)[0], keyframe=True))
    for step, packet in enumerate(h264_packets("baseline", count=3)):
        decoder.put(job(step + 1, bytes(packet), keyframe=step == 0, codec="h264"))
    await until(lambda: len(screen.shown) == 4)
    assert [each.width_px for _, each in screen.shown] == [160, 320, 320, 320]
    assert not screen.failed


async def test_behind_and_cleared() -> None:
    """A decoder that gets no thread is behind when two seconds, or sixty pictures, wait; what waits can be dropped."""
    held, screen = threading.Event(), Screen()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(held.wait)
        decoder = Decoder(pool, screen.show, screen.fail)
        assert not decoder.behind(0.0)
        decoder.put(job(0, b"x"))
        assert not decoder.behind(OLDEST_S)
        assert decoder.behind(OLDEST_S + 0.1)
        for _ in range(BACKLOG - 1):
            decoder.put(job(0, b"x"))
        assert decoder.behind(0.0)
        assert decoder.clear() == BACKLOG
        assert len(decoder) == 0
        held.set()
    await asyncio.sleep(0)
    assert not screen.shown
    assert not screen.failed


async def test_streams_share_a_thread_in_turns() -> None:
    """A stream with much to decode does not keep the thread: another one's picture comes in between."""
    order: list[str] = []
    held, data = threading.Event(), vp8_pictures(20)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(held.wait)
        busy = Decoder(pool, lambda *_: order.append("busy"), order.append)
        other = Decoder(pool, lambda *_: order.append("other"), order.append)
        for step, each in enumerate(data):
            busy.put(job(step, each, keyframe=step == 0))
        other.put(job(0, data[0], keyframe=True))
        held.set()
        await until(lambda: len(order) == 21)
    assert order.index("other") <= 4


async def test_closed_decoder_is_silent(pool: Executor) -> None:
    """After `close` nothing is shown, and a pool that is shut down breaks nothing."""
    screen = Screen()
    decoder = Decoder(pool, screen.show, screen.fail)
    data = vp8_pictures(1)[0]
    decoder.close()
    decoder.put(job(0, data, keyframe=True))
    pool.shutdown()
    decoder.put(job(1, data, keyframe=True))
    await asyncio.sleep(0.05)
    assert not screen.shown


async def test_picture_is_a_lossless_decoders(pool: Executor) -> None:
    """Pictures are bit-equal to those of a decoder outside."""
    screen, data = Screen(), vp8_pictures(5)
    decoder = Decoder(pool, screen.show, screen.fail)
    for step, each in enumerate(data):
        decoder.put(job(step, each, keyframe=step == 0))
    await until(lambda: len(screen.shown) == 5)
    outside = av.CodecContext.create("libvpx", "r")
    for (_, picture), each in zip(screen.shown, data, strict=True):
        assert np.array_equal(picture.i420, outside.decode(av.Packet(each))[0].to_ndarray())
