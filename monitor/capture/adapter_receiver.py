# SPDX-License-Identifier: Apache-2.0
"""One receiver of aiortc in; its counts, its packets and its way back to the sender out."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiortc import RTCRtpReceiver
from aiortc.codecs import is_rtx
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtpPacket, pack_remb_fci, unwrap_rtx

from .backlog import DecoderQueue

__all__ = ["PacketHook", "Receiver", "ReceiverView"]

RTX_HEADER_BYTES: Final = 2
"""The first sequence number, before the payload (RFC 4588, section 4)."""

Take = Callable[[str, RtpPacket], None]


class Receiver:
    """What one `RTCRtpReceiver` counts, and its way back to the sender; aiortc's bitrate estimate is switched off."""

    def __init__(self, receiver: RTCRtpReceiver) -> None:
        held: Any = receiver
        self._receiver = held
        self._receiver._RTCRtpReceiver__remote_bitrate_estimator = None

    @property
    def lost_packets(self) -> int:
        """Packets of the media stream that never came, retransmissions not counted; never negative."""
        streams = self._receiver._RTCRtpReceiver__remote_streams
        return sum(max(0, stream.packets_lost) for ssrc, stream in streams.items() if ssrc in self._media())

    def _media(self) -> set[int]:
        streams: set[int] = set(self._receiver._RTCRtpReceiver__remote_streams)
        return streams - set(self._receiver._RTCRtpReceiver__rtx_ssrc)

    async def ask_bitrate(self, bits_per_s: int) -> None:
        """Tell the publisher how much it may send (REMB); silent until media has come."""
        own = self._receiver._RTCRtpReceiver__rtcp_ssrc
        media = sorted(self._media())
        if own is None or not media:
            return
        fci = pack_remb_fci(bits_per_s, media)
        await self._receiver._send_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=own, media_ssrc=0, fci=fci))


class ReceiverView(Receiver):
    """A receiver on the plain path, seen as a `StreamView`; made before it starts, it also bounds its queue."""

    newest_s = None

    def __init__(self, receiver: RTCRtpReceiver) -> None:
        super().__init__(receiver)
        self._queue = DecoderQueue(self._receiver._RTCRtpReceiver__decoder_error)
        self._receiver._RTCRtpReceiver__decoder_queue = self._queue

    @property
    def codec(self) -> str:
        """Codec in lower case, "unknown" before the first frame."""
        return self._queue.codec

    def was_keyframe(self, stamp: int | None) -> bool:
        """Whether the picture with this timestamp was sent as a keyframe; PyAV does not tell for VP8."""
        return stamp in self._queue.keyframes

    @property
    def received_bytes(self) -> int:
        """Encoded bytes of whole frames."""
        return self._queue.received_bytes

    @property
    def dropped_count(self) -> int:
        """Encoded frames that were thrown away before the decoder."""
        return self._queue.dropped_count

    @property
    def waiting(self) -> int:
        """Encoded frames that wait for the decoder, and decoded ones for a reader of the track."""
        track = self._receiver.track
        return self._queue.qsize() + (0 if track is None else int(track._queue.qsize()))


class PacketHook(Receiver):
    """A receiver on the encoded path: each media packet is passed on with its codec's name in lower case.

    aiortc's own statistics are fed, so that receiver reports go out; its jitter buffer and its decoder see nothing.
    A packet sent again (RTX, RFC 4588) comes as it was the first time.
    """

    def pass_to(self, take: Take) -> None:
        """Pass each packet on from now on."""
        self._take = take
        self._receiver._handle_rtp_packet = self._handle

    async def nack(self, ssrc: int, sequences: list[int]) -> None:
        """Ask for packets again."""
        await self._receiver._send_rtcp_nack(ssrc, sequences)

    async def pli(self, ssrc: int) -> None:
        """Ask for a keyframe."""
        await self._receiver._send_rtcp_pli(ssrc)

    async def _handle(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        codecs: Mapping[int, RTCRtpCodecParameters] = self._receiver._RTCRtpReceiver__codecs
        codec = codecs.get(packet.payload_type)
        if codec is None or not self._receiver._enabled:
            return
        self._record(packet, codec.clockRate)
        if is_rtx(codec):
            ssrc, payload_type = self._original(packet, codec)
            if ssrc is None or payload_type not in codecs:
                return
            packet, codec = unwrap_rtx(packet, payload_type=payload_type, ssrc=ssrc), codecs[payload_type]
        self._take(codec.name.lower(), packet)

    def _record(self, packet: RtpPacket, clock_hz: int) -> None:
        streams = self._receiver._RTCRtpReceiver__remote_streams
        if packet.ssrc not in streams:
            streams[packet.ssrc] = StreamStatistics(clock_hz)
        streams[packet.ssrc].add(packet)

    def _original(self, packet: RtpPacket, codec: RTCRtpCodecParameters) -> tuple[int | None, int]:
        apt = codec.parameters.get("apt")
        known = isinstance(apt, int) and len(packet.payload) >= RTX_HEADER_BYTES
        ssrc: int | None = self._receiver._RTCRtpReceiver__rtx_ssrc.get(packet.ssrc) if known else None
        return ssrc, apt if isinstance(apt, int) else -1
