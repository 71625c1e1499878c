# SPDX-License-Identifier: Apache-2.0
"""The encoded path on scripted time: packets in, pictures and feedback out."""

import asyncio
import random
from collections.abc import Iterable
from concurrent.futures import Executor, Future
from itertools import pairwise

import numpy as np
import pytest
from aiortc.rtp import RtpPacket

from monitor.capture.encoded import EncodedStream
from monitor.capture.tap import Tap
from monitor.config import CaptureSettings
from tests.fakes.calls import until
from tests.fakes.clips import h264_packets
from tests.fakes.rtp import h264_rtp, vp8_pictures, vp8_rtp

LAYERED = vp8_pictures(150, layered=True)
PLAIN = vp8_pictures(60, keyframes=(0, 40))


class Now(Executor):
    """An executor that works at once, so that time is what the test says it is."""

    def submit(self, work, /, *args, **named):
        done: Future = Future()
        done.set_result(work(*args, **named))
        return done


class Silent:
    """A sender that is never heard."""

    lost_packets = 0

    async def nack(self, ssrc: int, sequences: list[int]) -> None:
        """Nothing."""

    async def pli(self, ssrc: int) -> None:
        """Nothing."""


class Bench:
    """A stream into a tap that keeps everything it is shown, 10 looks a second, on a clock set by hand."""

    def __init__(self, per_s: float = 10.0) -> None:
        self.now_s = 100.0
        settings = CaptureSettings(samples_per_s=per_s)
        self.pool = Now()
        self.tap = Tap("call", "alice", settings, self.pool, lambda: self.now_s)
        self.shown = []
        self.tap.show = self.shown.append
        self.stream = EncodedStream(Silent(), self.tap, settings, self.pool, lambda: self.now_s)
        self.tap.rebase(self.stream)

    def send(self, packets: Iterable[RtpPacket], codec: str = "vp8", wait_s: float = 1 / 30) -> None:
        """One picture's packets at one moment; then time passes."""
        for packet in packets:
            self.stream.take(codec, packet)
        self.now_s += wait_s


@pytest.fixture
async def bench() -> Bench:
    """A fresh one."""
    return Bench()


async def test_base_layer_alone_is_decoded_for_few_looks() -> None:
    """Once the rates are known, 5 looks a second decode 7.5 of 30 pictures; 10 take one layer more, 30 all."""
    for per_s, share in ((5.0, 0.25), (10.0, 0.5), (30.0, 1.0)):
        bench, decoded = Bench(per_s), []
        put = bench.stream._decoder.put
        bench.stream._decoder.put = lambda job, put=put, decoded=decoded: (decoded.append(job.unit), put(job))
        for packets in vp8_rtp(LAYERED, layered=True):
            bench.send(packets)
        await asyncio.sleep(0)
        late = [unit for unit in decoded if unit.stamp >= 90 * 3000]
        assert len(late) == pytest.approx(60 * share, abs=1)
        assert len(bench.shown) == pytest.approx(5 * per_s, rel=0.15)
        assert bench.tap.counts.received == 150
        assert bench.tap.counts.failed == 0


async def test_pictures_without_layers_are_all_decoded_and_few_shown(bench: Bench) -> None:
    """Every picture may be referred to; the sampler decides what is converted. Facts tell of each."""
    for packets in vp8_rtp(PLAIN):
        bench.send(packets)
    await until(lambda: len(bench.shown) >= 20)
    assert [round(sample.media_s * 30) for sample in bench.shown] == list(range(0, 60, 3))
    assert bench.shown[0].keyframe
    assert bench.stream.received_bytes == sum(map(len, PLAIN))
    assert bench.stream.codec == "vp8"


async def test_packets_behind_a_hole_are_counted(bench: Bench) -> None:
    """Those that wait for a lost packet are told of, until it comes or its time is over; in order none waits."""
    first, second, third = (packets[0] for packets in vp8_rtp(PLAIN[1:4]))
    waiting = []
    for packet in (first, third, second):
        bench.send([packet], wait_s=0.0)
        waiting.append(bench.tap.counts.waiting_packets)
    assert waiting == [0, 1, 0]
    *_, late = (packets[0] for packets in vp8_rtp(PLAIN[1:7]))
    bench.send([late], wait_s=1.0)
    assert bench.tap.counts.waiting_packets == 1
    bench.stream.tick()
    assert bench.tap.counts.waiting_packets == 0


async def test_lost_packet_freezes_until_the_keyframe(bench: Bench) -> None:
    """Without layers a lost picture stops everything; a keyframe is asked for every 300 ms until it is there."""
    asked: list[float] = []
    for step, packets in enumerate(vp8_rtp(PLAIN)):
        if step != 10:
            bench.send(packets, wait_s=0.0)
        if bench.stream.tick()[1]:
            asked.append(step / 30)
        bench.now_s += 1 / 30
    await until(lambda: bench.shown and bench.shown[-1].media_s > 1.8)
    frozen = [sample.media_s for sample in bench.shown if 0.34 < sample.media_s < 1.33]
    assert frozen == []
    assert asked[0] == pytest.approx(10 / 30 + 0.15, abs=0.07)
    assert all(later - earlier >= 0.3 - 1e-6 for earlier, later in pairwise(asked))
    assert len(asked) in {3, 4}
    assert bench.tap.counts.discarded > 20


async def test_packet_sent_again_in_time_loses_nothing(bench: Bench) -> None:
    """A packet that comes 100 ms late, as a retransmission, delays its picture and loses none."""
    late: list[tuple[float, RtpPacket]] = []
    wanted: list[int] = []
    for step, packets in enumerate(vp8_rtp(PLAIN)):
        if step == 10:
            late.append((bench.now_s + 0.1, packets.pop(0)))
        while late and late[0][0] <= bench.now_s:
            bench.stream.take("vp8", late.pop()[1])
        bench.send(packets, wait_s=0.0)
        wanted += bench.stream.tick()[0]
        bench.now_s += 1 / 30
    await until(lambda: len(bench.shown) == 20)
    assert len(wanted) >= 2
    assert bench.tap.counts.received == 60


async def test_keyframe_that_never_comes(bench: Bench) -> None:
    """A stream without a keyframe shows nothing, keeps nothing, and asks again and again."""
    asked = 0
    for packets in vp8_rtp(PLAIN[1:39] * 8):
        bench.send(packets)
        asked += bench.stream.tick()[1]
    assert bench.shown == []
    assert asked == pytest.approx(304 / 30 / 0.3, abs=4)
    assert bench.stream.waiting == 0
    assert bench.stream.newest_s is None


async def test_stamps_that_jump_an_hour(bench: Bench) -> None:
    """Timestamps an hour ahead or back, or wrapping, neither stop pictures nor move media time by hours."""
    sent = [
        *vp8_rtp(PLAIN[:20], stamp=(1 << 32) - 30_000),
        *vp8_rtp(PLAIN[20:40], start=0, stamp=3600 * 90_000),
        *vp8_rtp(PLAIN[40:], start=0, stamp=0),
    ]
    sequence = 65_500
    for packets in sent:
        for packet in packets:
            packet.sequence_number, sequence = sequence % 65_536, sequence + 1
        bench.send(packets)
    await until(lambda: len(bench.shown) >= 19)
    times = [sample.media_s for sample in bench.shown]
    assert all(0 < later - earlier < 0.2 for earlier, later in pairwise(times))
    assert bench.tap.counts.breaks == 2


async def test_codec_switch_in_mid_stream(bench: Bench) -> None:
    """VP8, then H.264 in the same stream: the second goes on where the first ended."""
    coded = [bytes(packet) for packet in h264_packets("baseline", 160, 120, count=30)]
    vp8, h264 = vp8_rtp(PLAIN[:30], start=0), h264_rtp(coded, stamp=30 * 3000)
    sequence = vp8[-1][-1].sequence_number + 1
    for packets in vp8:
        bench.send(packets)
    for packets in h264:
        for packet in packets:
            packet.sequence_number, sequence = sequence, sequence + 1
        bench.send(packets, "h264")
    await until(lambda: len(bench.shown) == 20)
    assert bench.stream.codec == "h264"
    assert bench.tap.counts.failed == 0


async def test_other_sender_begins_anew(bench: Bench) -> None:
    """Another SSRC has other sequence numbers; its pictures are shown from its keyframe on."""
    for packets in vp8_rtp(PLAIN[:10], start=100):
        bench.send(packets)
    for packets in vp8_rtp(PLAIN[:10], start=99, stamp=30_000):
        for packet in packets:
            packet.ssrc = 77
        bench.send(packets)
    await until(lambda: len(bench.shown) >= 6)
    assert bench.shown[-1].media_s > 0.5


async def test_random_and_truncated_packets_break_nothing(bench: Bench) -> None:
    """Garbage payloads, cut packets and wild headers raise nothing, and a good stream after them is shown."""
    chance = random.Random(11)
    for packets in vp8_rtp(PLAIN[:30]) * 4:
        for packet in packets:
            wild = RtpPacket(97, chance.randrange(2), packet.sequence_number, packet.timestamp, packet.ssrc)
            wild.payload = chance.choice([b"", packet.payload[: chance.randrange(8)], chance.randbytes(50)])
            wild.sequence_number = chance.choice([packet.sequence_number, chance.randrange(65_536)])
            bench.stream.take(chance.choice(["vp8", "h264", "vp9"]), wild)
        bench.now_s += 1 / 30
        bench.stream.tick()
    bench.now_s += 1.0
    bench.stream.tick()
    before = len(bench.shown)
    for packets in vp8_rtp(PLAIN * 2, start=30_000, stamp=1_000_000):
        bench.send(packets)
    await until(lambda: len(bench.shown) > before + 10)


async def test_a_thousand_packets_of_one_picture(bench: Bench) -> None:
    """A picture in a thousand packets, out of order by fifty, is put together when it is whole, and shown."""
    data, packets = PLAIN[0], []
    size = -(-len(data) // 1000)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    for number, piece in enumerate(pieces):
        payload = bytes([0x10 * (not number)]) + piece
        packets.append(RtpPacket(97, int(number == len(pieces) - 1), 500 + number, 0, 1, payload))
    for at in range(0, len(packets), 50):
        for packet in packets[at : at + 1] + packets[at + 1 : at + 50][::-1]:
            bench.stream.take("vp8", packet)
    await until(lambda: len(bench.shown) == 1)
    assert len(packets) > 500


async def test_decoder_that_throws(bench: Bench) -> None:
    """A whole picture that cannot be decoded counts as failed; a keyframe is asked for, and brings the stream back."""
    broken = [*PLAIN]
    broken[6] = b"\x11" + b"\xff" * 3
    asked = []
    for step, packets in enumerate(vp8_rtp(broken)):
        bench.send(packets, wait_s=0.0)
        await asyncio.sleep(0)
        if bench.stream.tick()[1]:
            asked.append(step)
        bench.now_s += 1 / 30
    await until(lambda: bench.shown and bench.shown[-1].media_s > 1.8)
    assert bench.tap.counts.failed == 1
    assert asked
    assert asked[0] in {7, 8}
    assert not [sample for sample in bench.shown if 0.2 < sample.media_s < 1.33]


async def test_slow_machine_falls_behind_and_catches_up(bench: Bench) -> None:
    """With no thread free for long, what waits is dropped at a bound and the next keyframe is the next picture."""
    waiting: list[tuple] = []
    bench.pool.submit = lambda *work: waiting.append(work)
    for packets in vp8_rtp(PLAIN[:39] * 4):
        bench.send(packets)
        assert bench.stream.waiting <= 61
    assert bench.tap.counts.discarded > 60
    bench.pool.submit = Now().submit
    for work, *args in waiting:
        work(*args)
    await until(lambda: bench.stream.waiting == 0)
    assert np.isfinite(bench.stream.newest_s or 0.0)
