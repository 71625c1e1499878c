# SPDX-License-Identifier: Apache-2.0
"""What the encoded path and the plain one see of the same stream without losses."""

import av
import numpy as np
import pytest
from aiortc.rtp import RtpPacket

from monitor.capture.adapter import prepare
from monitor.capture.adapter_receiver import PacketHook
from monitor.capture.route import Route
from monitor.values import Frame
from tests.fakes.calls import Encoded, Publisher, Watcher, whip_server
from tests.fakes.clips import h264_packets
from tests.fakes.rtp import vp8_pictures

GOP = 15
STREAMS = {
    "vp8": ("video/VP8", "libvpx", [av.Packet(data) for data in vp8_pictures(60, keyframes=range(0, 60, GOP))]),
    "h264": ("42e01f", "h264", h264_packets("baseline", 160, 120, count=60)),
}

PATHS = {"plain": range(1), "tap": range(1, 20), "tap on packets": range(40, 1000)}
"""By path, how many packets of forty pictures come through aiortc to the encoded path."""


async def seen(path: str, kind: str, coded: list[av.Packet]) -> list[Frame]:
    """Forty frames of a stream, every one looked at that the machine can keep up with."""
    path = path.partition(" ")[0]
    watcher, track = Watcher(), Encoded(coded)
    async with (
        whip_server(watcher, path=path, samples_per_s=30) as (_, url),
        Publisher(f"{url}/call/alice", [track], [kind]),
    ):
        return await watcher.more("alice", 40)


@pytest.mark.parametrize("codec", STREAMS)
async def test_all_paths_see_the_same(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are bit-equal to a decoder's that lost nothing, and facts those of the stream, on every path."""
    prepare()
    kind, decoder, coded = STREAMS[codec]
    context = av.CodecContext.create(decoder, "r")
    truth = [frame.to_ndarray() for packet in coded for frame in context.decode(av.Packet(bytes(packet)))]
    assert len(truth) == len(coded)
    intra = [_intra(codec, bytes(packet)) for packet in coded]
    handle, handled = PacketHook._handle, list[int]()

    async def counted(self: PacketHook, packet: RtpPacket, arrival_time_ms: int) -> None:
        handled.append(packet.sequence_number)
        await handle(self, packet, arrival_time_ms)

    monkeypatch.setattr(PacketHook, "_handle", counted)
    for path, handled_by_aiortc in PATHS.items():
        handled.clear()
        monkeypatch.setattr(Route, "datagrams", path != "tap on packets")
        frames = await seen(path, kind, coded)
        assert len(handled) in handled_by_aiortc
        first = next(step for step, each in enumerate(truth) if np.array_equal(each, frames[0].picture.i420))
        steps = [first + round((frame.media_s - frames[0].media_s) * 30) for frame in frames]
        for step, frame in zip(steps, frames, strict=True):
            assert np.array_equal(frame.picture.i420, truth[step % len(truth)])
            assert frame.facts.keyframe == intra[step % len(intra)]
            assert (frame.facts.codec, frame.facts.lost_packets) == (codec, 0)
        told = sum(frame.facts.received_bytes or 0 for frame in frames[1:])
        sent = sum(len(bytes(coded[step % len(coded)])) for step in range(steps[0] + 1, steps[-1] + 1))
        assert told == pytest.approx(sent, rel=0.15)
        assert sum(frame.facts.stamps.steps for frame in frames[1:]) == pytest.approx(steps[-1] - steps[0], abs=3)
        assert sum(frame.facts.stamps.even for frame in frames[1:]) == pytest.approx(steps[-1] - steps[0], abs=6)


def _intra(codec: str, data: bytes) -> bool:
    return not data[0] & 1 if codec == "vp8" else b"\0\0\1\x65" in data
