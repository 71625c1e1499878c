# SPDX-License-Identifier: Apache-2.0
"""The benchmark's caller: VP9 and AV1 as a browser packs them, and its kinds of streams."""

import fractions

import av
import pytest
from aiortc.codecs import CODECS
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from monitor.bench.costs import KINDS
from monitor.bench.layers import LAYERED, PAYLOAD_BYTES, LayeredVp8
from monitor.bench.packing import Av1Packer, Packer, Vp9Packer, _encoder
from monitor.capture.payload import PARSERS
from monitor.capture.unit import Unit
from monitor.capture.units import Assembler
from tests.fakes.rtp import decoded
from tests.fakes.rtp_av1 import av1_pictures
from tests.fakes.rtp_vp9 import vp9_pictures

SIZE = (320, 240)
LAYERS = (0, 2, 1, 2)


def units_of(codec: str, packer: Packer, pictures: list[bytes]) -> list[Unit]:
    """What capture reads of what the caller sends."""
    assembler, units = Assembler(), []
    for step, data in enumerate(pictures):
        packet = av.Packet(data)
        packet.pts, packet.time_base = step, fractions.Fraction(1, 30)
        payloads, stamp = packer.pack(packet)
        assert max(map(len, payloads)) <= PAYLOAD_BYTES + 8
        for payload in payloads:
            part, marker = PARSERS[codec](payload), payload is payloads[-1]
            units += assembler.add(codec, stamp, part, 0.0, marker=marker, lost=0)
    assert [unit.stamp for unit in units] == [3000 * step for step in range(len(pictures))]
    return units


@pytest.mark.parametrize("layered", [False, True])
def test_vp9_comes_back_as_it_was(layered) -> None:
    """Each picture whole, numbered, and layered ones with their layer and base picture."""
    pictures = vp9_pictures(8, SIZE, layered=layered)
    units = units_of("vp9", Vp9Packer(layered=layered), pictures)
    assert [unit.data for unit in units] == pictures
    assert [unit.picture_id for unit in units] == list(range(8))
    assert [unit.keyframe for unit in units] == [True] + [False] * 7
    assert [unit.layer for unit in units] == [LAYERS[step % 4] if layered else None for step in range(8)]
    assert [unit.base_index for unit in units] == [step // 4 if layered else None for step in range(8)]


@pytest.mark.parametrize("layered", [False, True])
def test_av1_is_decoded_as_it_was(layered) -> None:
    """The pictures are those of the stream itself; layers that are named bear on none below."""
    pictures = av1_pictures(8)
    units = units_of("av1", Av1Packer(layered=layered), pictures)
    assert [unit.layer for unit in units] == [LAYERS[step % 4] if layered else None for step in range(8)]
    shown, truth = decoded("libdav1d", [unit.data for unit in units]), decoded("libdav1d", pictures)
    assert [each.tobytes() for each in shown] == [each.tobytes() for each in truth]
    base = decoded("libdav1d", [unit.data for unit in units[::4]])
    assert [each.tobytes() for each in base] == [each.tobytes() for each in truth[::4]]


def test_each_codec_has_its_packer() -> None:
    """What aiortc can pack it packs, but for the layers of VP8."""
    found = [RTCRtpCodecParameters(f"video/{name}", 90_000, None, 100) for name in ("VP9", "AV1")]
    found += [codec for codec in CODECS["video"] if codec.name in {"VP8", "H264"}]
    made = {
        (codec.name, layered): type(_encoder(codec, layered=layered)) for codec in found for layered in (False, True)
    }
    assert made["VP9", True] is made["VP9", False] is Vp9Packer
    assert made["AV1", True] is Av1Packer
    assert (made["VP8", True], made["VP8", False]) == (LayeredVp8, Vp8Encoder)
    assert made["H264", True] is made["H264", False] is H264Encoder
    assert "ts_number_layers=3" in LAYERED["ts-parameters"]


def test_aiortc_is_asked_for_what_it_decodes() -> None:
    """Of VP9 and AV1 there is the tap alone."""
    assert {kind.codec: kind.plain for kind in KINDS} == {"vp8": True, "h264": True, "vp9": False, "av1": False}
