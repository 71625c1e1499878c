# SPDX-License-Identifier: Apache-2.0
"""The benchmark's caller: layers said as a browser says them."""

import fractions

import av

from monitor.bench.alone import decode_alone
from monitor.bench.layers import PAYLOAD_BYTES, LayeredVp8
from monitor.capture.payload_vp8 import vp8_part
from tests.fakes.rtp import vp8_pictures


def test_layers_are_said() -> None:
    """Each packet names its layer; pictures are cut at the payload's size and come back whole."""
    encoder = LayeredVp8()
    for step, size in enumerate((3000, 40, 500, 1201, 9)):
        packet = av.Packet(bytes([1] * size))
        packet.pts, packet.time_base = step, fractions.Fraction(1, 30)
        payloads, stamp = encoder.pack(packet)
        parts = [vp8_part(payload) for payload in payloads]
        assert stamp == 3000 * step
        assert b"".join(part.data for part in parts) == bytes(packet)
        assert max(len(part.data) for part in parts) <= PAYLOAD_BYTES
        assert [part.first for part in parts] == [True] + [False] * (len(parts) - 1)
        assert {(part.layer, part.sync, part.base_index) for part in parts} == {
            ((0, 2, 1, 2)[step % 4], step % 4 in {1, 2}, step // 4)
        }


def test_decoding_alone_is_measured() -> None:
    """Fewer pictures cost less, and more decoders that take turns no less each."""
    pictures = vp8_pictures(40, (320, 240), layered=True)
    assert 0 < decode_alone(pictures, 4) < decode_alone(pictures, 1)
