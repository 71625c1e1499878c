# SPDX-License-Identifier: Apache-2.0
"""Real WebRTC over loopback: publishers of all kinds and manners, watched by the WHIP server."""

import asyncio
import itertools
import random
import re
import socket
from statistics import median

import numpy as np
import pytest
from aiortc import RTCPeerConnection

from monitor.capture.adapter import prepare
from monitor.capture.adapter_ports import PortGuard, guard_ports, lose_packets
from tests.fakes.calls import Encoded, Pattern, Publisher, Tone, Watcher, until, whip_server
from tests.fakes.clips import h264_packets

CODECS = {
    "vp8": ("video/VP8", None, "vp8"),
    "constrained baseline": ("42e01f", None, "h264"),
    "main": ("4d001f", "main", "h264"),
    "constrained high": ("640c1f", "high", "h264"),
    "high": ("64001f", "high", "h264"),
}


@pytest.mark.parametrize("name", CODECS)
async def test_codecs_are_decoded(name: str) -> None:
    """What browsers send by default, VP8 and H.264 in its profiles, arrives as pictures that look as they were sent."""
    prepare()
    kind, profile, codec = CODECS[name]
    watcher = Watcher()
    track = Encoded(h264_packets(profile)) if profile else Pattern()
    async with whip_server(watcher) as (_, url), Publisher(f"{url}/call/alice", [track], [kind]) as caller:
        assert caller.status == 201
        frames = await watcher.more("alice", 8)
    assert {frame.facts.codec for frame in frames} == {codec}
    assert {(frame.picture.width_px, frame.picture.height_px) for frame in frames} == {(320, 240)}
    assert frames[0].facts.keyframe
    assert sum(frame.facts.received_bytes or 0 for frame in frames) > 2000
    luma = frames[-1].picture.i420[120:240].astype(int)
    slope = (luma[:, 1:] - luma[:, :-1])[np.abs(luma[:, 1:] - luma[:, :-1]) < 20]
    assert slope.mean() == pytest.approx(1.0, abs=0.2)


async def test_two_participants_and_their_sound() -> None:
    """Two callers of one call are two feeds, each with its own pictures, media clock and sound."""
    watcher = Watcher()
    async with (
        whip_server(watcher) as (server, url),
        Publisher(f"{url}/call/alice", [Pattern(320, 240), Tone()]),
        Publisher(f"{url}/call/bob", [Pattern(160, 120)]),
    ):
        alice, bob = await asyncio.gather(watcher.more("alice", 15), watcher.more("bob", 15))
        assert server.sessions == 2
        heard = watcher.feeds["alice"][0].heard(0.5)
        assert watcher.feeds["bob"][0].heard(0.5) == ()
    assert {(frame.call, frame.participant) for frame in alice + bob} == {("call", "alice"), ("call", "bob")}
    assert {frame.picture.width_px for frame in bob} == {160}
    steps = np.diff([frame.media_s for frame in alice])
    assert np.median(steps) == pytest.approx(0.1, abs=0.02)
    assert (steps > 0).all()
    assert (np.diff([frame.arrived_s for frame in alice]) > 0).all()
    sound = np.concatenate([chunk.samples for chunk in heard])
    spectrum = np.abs(np.fft.rfft(sound[-6400:]))
    assert np.argmax(spectrum) * 16_000 / 6400 == pytest.approx(440, abs=10)
    assert abs(heard[-1].media_s - alice[-1].media_s) < 1.5


async def test_stall_is_told_and_ends_the_feed() -> None:
    """A caller who stops sending is a stall, told again; the other goes on; long silence ends the session."""
    watcher, camera = Watcher(), Pattern()
    async with (
        whip_server(watcher, stall_after_s=0.5, end_after_s=2.2) as (server, url),
        Publisher(f"{url}/call/alice", [camera, Tone()]),
        Publisher(f"{url}/call/bob", [Pattern()]),
    ):
        await watcher.more("alice", 2)
        camera.playing.clear()
        await until(lambda: watcher.stalls("alice"))
        assert not watcher.stalls("bob")
        await until(lambda: watcher.ended == ["alice"])
        await until(lambda: server.sessions == 1)
        await watcher.more("bob", 3)
    told = watcher.stalls("alice")
    assert len(told) == 2
    assert told[0].now_s - told[0].since_s == pytest.approx(0.5, abs=0.3)
    assert told[1].since_s == told[0].since_s
    assert told[1].now_s - told[0].now_s >= 1.0
    assert watcher.feeds["alice"][0].counts.stalls == 1


async def test_stall_may_pass() -> None:
    """Media that come again after a stall go on in the same feed, later by as much as was missed."""
    watcher, camera = Watcher(), Pattern()
    async with whip_server(watcher, stall_after_s=0.4) as (_, url), Publisher(f"{url}/call/alice", [camera]):
        before = (await watcher.more("alice", 3))[-1]
        camera.playing.clear()
        await until(lambda: watcher.stalls("alice"))
        camera.playing.set()
        after = (await watcher.more("alice", 4))[-1]
    assert after.media_s - before.media_s == pytest.approx(after.arrived_s - before.arrived_s, abs=0.5)
    assert len(watcher.feeds["alice"]) == 1


async def test_reconnect_replaces_the_older_session() -> None:
    """A participant who publishes again gets a new feed after the old one ended; others are left alone."""
    watcher = Watcher()
    async with (
        whip_server(watcher) as (server, url),
        Publisher(f"{url}/call/bob", [Pattern()]),
        Publisher(f"{url}/call/alice", [Pattern()]) as first,
    ):
        await asyncio.gather(watcher.more("alice", 2), watcher.more("bob", 2))
        async with Publisher(f"{url}/call/alice", [Pattern()]) as second:
            assert watcher.ended == ["alice"]
            await watcher.more("alice", 3)
            assert server.sessions == 2
            assert len(watcher.feeds["alice"]) == 2
            assert first.headers["Location"] != second.headers["Location"]
            await first.leave()
            await watcher.more("alice", 3)
            await watcher.more("bob", 2)
        await until(lambda: server.sessions == 1)
        assert watcher.ended == ["alice", "alice"]


async def test_hanging_up_ends_the_feed_at_once() -> None:
    """Without DELETE, the end of the connection is noticed long before the silence limit."""
    watcher = Watcher()
    async with whip_server(watcher, end_after_s=60) as (server, url):
        caller = Publisher(f"{url}/call/alice", [Pattern()])
        async with caller:
            await watcher.more("alice", 2)
            await caller.connection.close()
            await until(lambda: server.sessions == 0, 5)
        assert watcher.ended == ["alice"]


@pytest.mark.parametrize("size", [(16, 16), (480, 360)])
async def test_resolution_changes_mid_call(size: tuple[int, int]) -> None:
    """Each picture has the size it was sent at, down to a single macroblock."""
    watcher, camera = Watcher(), Pattern(320, 240)
    async with whip_server(watcher) as (_, url), Publisher(f"{url}/call/alice", [camera]):
        await watcher.more("alice", 2)
        camera.size = size
        await until(lambda: watcher.frames("alice")[-1].picture.width_px == size[0])
        frames = await watcher.more("alice", 3)
    assert {(frame.picture.width_px, frame.picture.height_px) for frame in frames} == {size}
    assert watcher.feeds["alice"][0].counts.failed == 0


async def test_garbage_on_the_open_port() -> None:
    """Datagrams from strangers, empty, random or dressed as RTP, STUN or DTLS, disturb no call."""
    watcher, chance = Watcher(), random.Random(3)
    async with (
        whip_server(watcher) as (server, url),
        Publisher(f"{url}/call/alice", [Pattern()]) as caller,
        Publisher(f"{url}/call/bob", [Pattern()]),
    ):
        await asyncio.gather(watcher.more("alice", 2), watcher.more("bob", 2))
        ports = set(re.findall(r"a=candidate:\S+ 1 udp \d+ (\d+\.\S+) (\d+) typ host", caller.answer))
        assert ports
        shapes = [
            b"",
            b"\x80",
            b"\x80\x61" + bytes(10),
            b"\x16\xfe\xfd",
            b"\x15\xfe\xfd" + bytes(12),
            b"\x00\x01\x00\x00\x21\x12\xa4\x42",
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for host, port in ports:
                for _ in range(300):
                    stranger.sendto(
                        chance.choice(shapes) + chance.randbytes(chance.choice([0, 1, 11, 200])), (host, int(port))
                    )
                for shape in shapes:
                    stranger.sendto(shape, (host, int(port)))
        alice, bob = await asyncio.gather(watcher.more("alice", 10), watcher.more("bob", 10))
        assert len(alice) == len(bob) == 10
        assert server.sessions == 2
        assert watcher.ended == []


async def test_lost_packets_leave_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every twelfth RTP packet lost, retransmission and keyframes keep pictures coming, and the loss is told."""
    came, dropped = itertools.count(1), []

    def drop() -> bool:
        lost = next(came) % 12 == 0
        dropped.extend([True] * lost)
        return lost

    def lossy(peer: RTCPeerConnection) -> PortGuard:
        guard = guard_ports(peer)
        lose_packets(peer, drop)
        return guard

    monkeypatch.setattr("monitor.capture.peer.guard_ports", lossy)
    watcher = Watcher()
    async with whip_server(watcher) as (_, url), Publisher(f"{url}/call/alice", [Pattern()]):
        frames = await watcher.more("alice", 30)
    assert len(dropped) >= 5
    assert sum(frame.facts.lost_packets for frame in frames) >= 1


async def test_unread_feed_does_not_grow() -> None:
    """A reader that never reads costs one picture, not memory without end: the tracks are drained all the same."""
    watcher = Watcher()
    watcher.ignore.add("alice")
    async with whip_server(watcher) as (_, url), Publisher(f"{url}/call/alice", [Pattern(), Tone()]):
        await until(lambda: "alice" in watcher.feeds)
        feed = watcher.feeds["alice"][0]
        await until(lambda: feed.counts.received >= 60)
        counts = feed.counts
    assert counts.waiting <= 5
    assert counts.sampled == counts.dropped + 1
    assert counts.yielded == 0


async def test_slow_reader_gets_the_newest() -> None:
    """A reader that takes half a second for each frame sees the call as it is, not as it was."""
    late: list[float] = []

    async def slow(feed) -> None:
        async for frame in feed.media():
            late.append(asyncio.get_running_loop().time() - frame.arrived_s)
            await asyncio.sleep(0.5)

    watcher = Watcher()
    watcher.admit = slow
    async with whip_server(watcher) as (_, url), Publisher(f"{url}/call/alice", [Pattern()]):
        await until(lambda: len(late) >= 6)
    assert median(late[1:]) < 0.3


async def test_failing_pipeline_ends_its_call_alone() -> None:
    """An exception of one participant's pipeline ends that session; the other and the server go on."""
    watcher = Watcher()
    watcher.fail_for.add("alice")
    async with (
        whip_server(watcher) as (server, url),
        Publisher(f"{url}/call/bob", [Pattern()]),
        Publisher(f"{url}/call/alice", [Pattern()]),
    ):
        await until(lambda: watcher.ended == ["alice"])
        await until(lambda: server.sessions == 1)
        await watcher.more("bob", 3)
        watcher.fail_for.clear()
        async with Publisher(f"{url}/call/alice", [Pattern()]) as again:
            assert again.status == 201
            await watcher.more("alice", 2)
