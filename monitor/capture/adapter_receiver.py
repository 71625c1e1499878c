# SPDX-License-Identifier: Apache-2.0
"""One receiver of aiortc in; its counts, its packets and its way back to the sender out."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from aiortc import RTCRtpReceiver
from aiortc.codecs import is_rtx
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtpPacket, pack_remb_fci

from .adapter_datagrams import Datagrams
from .backlog import DecoderQueue
from .packet import Packet, unwrapped

__all__ = ["PacketHook", "Receiver", "ReceiverView"]

UNKNOWN: Final = -1
"""No payload type."""

Take = Callable[[str, Packet], None]


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

    @property
    def waiting_packets(self) -> int:
        """Packets that aiortc holds: those of the picture that is still coming, and all behind a missing one."""
        return sum(packet is not None for packet in self._receiver._RTCRtpReceiver__jitter_buffer._packets)


class PacketHook(Receiver):
    """A receiver on the encoded path: each media packet is passed on with its codec's name in lower case.

    aiortc's own statistics are fed, so that receiver reports go out; its jitter buffer and its decoder see nothing.
    A packet sent again (RTX, RFC 4588) comes as it was the first time. aiortc decrypts, parses and routes the first
    packet of a stream; with `gather_s` the next ones are taken at the datagram, and the sockets of all connections are
    read together at that interval. None leaves each packet to aiortc up to here.
    """

    def __init__(self, receiver: RTCRtpReceiver, gather_s: float | None = None) -> None:
        super().__init__(receiver)
        self._gather_s = gather_s
        self._kinds: dict[int, Kind | None] = {}

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
        if self._gather_s is not None and self._kind(packet.payload_type) is not None:
            datagrams = Datagrams.of(self._receiver.transport, self._gather_s)
            datagrams.follow(packet.ssrc, self._receiver, self._pass)
        self._pass(packet)

    def _pass(self, packet: Packet) -> None:
        receiver = self._receiver
        kind = self._kinds.get(packet.payload_type) or self._kind(packet.payload_type)
        if kind is None or not receiver._enabled:
            return
        streams = receiver._RTCRtpReceiver__remote_streams
        if packet.ssrc not in streams:
            streams[packet.ssrc] = StreamStatistics(kind.clock_hz)
        streams[packet.ssrc].add(packet)
        if kind.again is None:
            self._take(kind.codec, packet)
            return
        original = self._kind(kind.again)
        ssrc = receiver._RTCRtpReceiver__rtx_ssrc.get(packet.ssrc)
        first = unwrapped(packet, kind.again, ssrc) if original and ssrc is not None else None
        if original and first:
            self._take(original.codec, first)

    def _kind(self, payload_type: int) -> "Kind | None":
        if payload_type not in self._kinds:
            codec = self._receiver._RTCRtpReceiver__codecs.get(payload_type)
            self._kinds[payload_type] = _kind_of(codec) if codec else None
        return self._kinds[payload_type]


class Kind(NamedTuple):
    """What a payload type stands for: a codec, or with `again` packets of that payload type sent again."""

    codec: str
    clock_hz: int
    again: int | None


def _kind_of(codec: RTCRtpCodecParameters) -> Kind:
    apt = codec.parameters.get("apt")
    again = (apt if isinstance(apt, int) else UNKNOWN) if is_rtx(codec) else None
    return Kind(codec.name.lower(), codec.clockRate, again)
