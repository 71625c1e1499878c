# SPDX-License-Identifier: Apache-2.0
"""The encoded path with VP9 and AV1: pictures bit-equal to a decoder's that got the stream itself."""

import asyncio
import random

import numpy as np
import pytest
from aiortc.rtp import RtpPacket

from tests.capture.test_encoded import Bench
from tests.fakes.calls import until
from tests.fakes.rtp import decoded, packets_of, vp8_pictures, vp8_rtp
from tests.fakes.rtp_av1 import av1_pictures, av1_rtp
from tests.fakes.rtp_vp9 import descriptor, vp9_pictures, vp9_rtp

VP9 = vp9_pictures(120, layered=True)
AV1 = av1_pictures(40, keyframes=(0, 30))
STREAMS = {
    "vp9": ("vp9", "vp9", VP9, vp9_rtp(VP9, layered=True)),
    "vp9 flexible": ("vp9", "vp9", VP9, vp9_rtp(VP9, layered=True, flexible=True)),
    "av1": ("av1", "libdav1d", AV1, av1_rtp(AV1)),
    "av1 in small pieces": ("av1", "libdav1d", AV1, av1_rtp(AV1, room=90, counted=False)),
}


@pytest.mark.parametrize("stream", STREAMS)
async def test_pictures_are_those_that_were_sent(stream: str) -> None:
    """Every picture of a stream without losses is shown, bit-equal, with its keyframes and its bytes."""
    codec, decoder, pictures, packets = STREAMS[stream]
    bench = Bench(30.0)
    for each in packets[:40]:
        bench.send(each, codec)
    await until(lambda: len(bench.shown) == 40)
    truth = decoded(decoder, pictures[:40])
    for sample, expected in zip(bench.shown, truth, strict=True):
        assert np.array_equal(sample.picture.i420, expected)
    assert [step for step, sample in enumerate(bench.shown) if sample.keyframe] == ([0] if codec == "vp9" else [0, 30])
    assert bench.stream.received_bytes == sum(map(len, pictures[:40]))
    assert bench.stream.codec == codec
    assert bench.tap.counts.failed == 0


@pytest.mark.parametrize("flexible", [False, True])
async def test_layers_of_vp9_are_left_out_and_come_back(flexible) -> None:
    """Few looks decode the base layer alone; more looks bring the layers back without a keyframe."""
    bench, units = Bench(5.0), []
    put = bench.stream._decoder.put
    bench.stream._decoder.put = lambda job: (units.append(job.unit), put(job))
    packets = vp9_rtp(VP9, layered=True, flexible=flexible)
    for step, each in enumerate(packets):
        bench.tap.samples_per_s = 5.0 if step < 90 else 30.0
        bench.send(each, "vp9")
        await asyncio.sleep(0)
        assert not bench.stream.tick()[1]
    steps = [unit.stamp // 3000 for unit in units]
    assert [step for step in steps if 64 <= step < 90] == list(range(64, 90, 4))
    assert [step for step in steps if step >= 92] == list(range(92, 120))
    assert bench.tap.counts.failed == 0


async def test_lost_upper_layer_of_vp9_stops_nothing() -> None:
    """A lost picture above the base layer takes at most those up to the next base picture with it."""
    bench = Bench(30.0)
    for step, each in enumerate(STREAMS["vp9 flexible"][3][:40]):
        if step != 14:
            bench.send(each, "vp9", wait_s=0.0)
        assert not bench.stream.tick()[1]
        bench.now_s += 1 / 30
    await until(lambda: len(bench.shown) == 38)
    assert [step for step in range(40) if step not in _steps(bench)] == [14, 15]


async def test_disposable_pictures_of_av1_are_decoded_only_when_looked_at() -> None:
    """Of SVT-AV1's pictures every second one is nobody's reference; few looks leave most of those out."""
    bench, steps = Bench(3.0), []
    put = bench.stream._decoder.put
    bench.stream._decoder.put = lambda job: (steps.append(job.unit.stamp // 3000), put(job))
    for each in av1_rtp(AV1[:30]):
        bench.send(each, "av1")
    await until(lambda: len(bench.shown) >= 3)
    assert [step for step in steps if step % 2 == 0] == list(range(0, 30, 2))
    assert {step for step in steps if step % 2} <= set(_steps(bench))
    assert len(steps) < 20
    assert bench.tap.counts.failed == 0


async def test_lost_picture_of_av1_freezes_until_the_keyframe() -> None:
    """Nothing in AV1's packets tells what was lost, so pictures stop, and a keyframe is asked for."""
    bench, asked = Bench(30.0), []
    for step, each in enumerate(av1_rtp(AV1)):
        if step != 8:
            bench.send(each, "av1", wait_s=0.0)
        asked += [step] * bench.stream.tick()[1]
        bench.now_s += 1 / 30
    await until(lambda: len(bench.shown) == 18)
    assert _steps(bench) == [*range(8), *range(30, 40)]
    assert asked[0] in {12, 13, 14}


async def test_codec_switches_in_mid_stream() -> None:
    """VP8, then VP9, then AV1 in one stream: each goes on where the one before ended."""
    bench, sequence = Bench(30.0), 0
    sent: list[tuple[str, list[RtpPacket]]] = [
        *(("vp8", each) for each in vp8_rtp(vp8_pictures(10))),
        *(("vp9", each) for each in vp9_rtp(VP9[:10], layered=True, stamp=30_000)),
        *(("av1", each) for each in av1_rtp(AV1[:10], stamp=60_000)),
    ]
    codecs = []
    for codec, packets in sent:
        for packet in packets:
            packet.sequence_number, sequence = sequence, sequence + 1
        bench.send(packets, codec)
        codecs.append(bench.stream.codec)
    await until(lambda: len(bench.shown) == 30)
    assert codecs == ["vp8"] * 10 + ["vp9"] * 10 + ["av1"] * 10
    truth = decoded("libvpx", vp8_pictures(10)) + decoded("vp9", VP9[:10]) + decoded("libdav1d", AV1[:10])
    assert all(np.array_equal(each.picture.i420, seen) for each, seen in zip(bench.shown, truth, strict=True))
    assert bench.tap.counts.failed == 0


async def test_highest_spatial_layer_is_shown() -> None:
    """Layers of one timestamp are one picture, shown as large as its highest layer; without that as the next one."""
    bench, keyframes, sequence = Bench(30.0), range(6), 0
    small, large = vp9_pictures(6, keyframes=keyframes), vp9_pictures(6, (320, 240), keyframes=keyframes)
    for step, layers in enumerate(zip(small, large, strict=True)):
        payloads = [
            descriptor(first=True, last=True, predicted=False, layer=(0, True, number), base_index=step) + data
            for number, data in enumerate(layers if step % 3 else layers[:1])
        ]
        bench.send(packets_of(payloads, sequence, 3000 * step), "vp9")
        sequence += len(payloads)
    await until(lambda: len(bench.shown) == 6)
    truth = [decoded("vp9", [(large if step % 3 else small)[step]])[0] for step in range(6)]
    assert all(np.array_equal(each.picture.i420, seen) for each, seen in zip(bench.shown, truth, strict=True))
    assert bench.tap.counts.failed == 0


@pytest.mark.parametrize("stream", ["vp9", "vp9 flexible", "av1 in small pieces"])
async def test_damaged_packets_break_nothing(stream: str) -> None:
    """Packets with bytes changed or cut off, wherever, raise nothing, and a good stream after them is shown."""
    codec, _, _, packets = STREAMS[stream]
    bench, chance = Bench(30.0), random.Random(8)
    for number, packet in enumerate([packet for each in packets for packet in each] * 3):
        payload = bytearray(packet.payload)
        for _ in range(chance.choice([0, 0, 0, 1, 5])):
            payload[chance.randrange(len(payload))] = chance.randrange(256)
        cut = len(payload) if chance.random() < 0.9 else chance.randrange(len(payload))
        bench.send([RtpPacket(97, packet.marker, number % 65_536, packet.timestamp, 1, bytes(payload[:cut]))], codec)
        await asyncio.sleep(0)
        bench.stream.tick()
    assert bench.tap.counts.discarded
    before = len(bench.shown)
    for each in packets:
        bench.send(each, codec)
    await until(lambda: len(bench.shown) >= before + 30)


def _steps(bench: Bench) -> list[int]:
    return [round(sample.media_s * 30) for sample in bench.shown]
