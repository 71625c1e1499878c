# SPDX-License-Identifier: Apache-2.0
"""VP8 pictures coded in three temporal layers in; RTP payloads that say which layer each belongs to out."""

from typing import Final

from aiortc.codecs.vpx import Vp8Encoder, VpxPayloadDescriptor
from aiortc.mediastreams import VIDEO_TIME_BASE, convert_timebase
from av import Packet
from av.stream import Stream

__all__ = ["LAYERED", "LAYER_IDS", "PAYLOAD_BYTES", "PERIOD", "LayeredVp8"]

LAYER_IDS: Final = (0, 2, 1, 2)
SYNC: Final = (0, 1, 1, 0)
PERIOD: Final = len(LAYER_IDS)
PAYLOAD_BYTES: Final = 1200
LAYERED: Final = {
    "error-resilient": "1",
    "ts-parameters": "ts_number_layers=3:ts_target_bitrate=400,650,1000:ts_rate_decimator=4,2,1:ts_periodicity=4"
    ":ts_layer_id=0,2,1,2:ts_layering_mode=3",
}
"""libvpx's settings for L1T3, for about 1 Mbit/s, VP8 or VP9."""


class LayeredVp8(Vp8Encoder):
    """Packs pictures that were encoded with `LAYERED`, the first of them a base picture, as a browser would."""

    def __init__(self) -> None:
        super().__init__()
        self._step = 0

    def pack(self, packet: "Packet[Stream]") -> tuple[list[bytes], int]:
        """Payloads of one picture and its RTP timestamp."""
        data, place = bytes(packet), self._step % PERIOD
        payloads = []
        for at in range(0, len(data), PAYLOAD_BYTES):
            descriptor = VpxPayloadDescriptor(
                int(at == 0),
                0,
                picture_id=self._step % (1 << 15),
                tl0picidx=self._step // PERIOD % 256,
                tid=(LAYER_IDS[place], SYNC[place]),
            )
            payloads.append(bytes(descriptor) + data[at : at + PAYLOAD_BYTES])
        self._step += 1
        assert packet.pts is not None
        assert packet.time_base is not None
        return payloads, convert_timebase(packet.pts, packet.time_base, VIDEO_TIME_BASE)
