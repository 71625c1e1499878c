# SPDX-License-Identifier: Apache-2.0
"""aiortc as it is in, aiortc as a monitor needs it out; the only place that touches its private names.

Written against aiortc 1.16 and aioice 0.13. `tests/capture/test_adapter.py` holds the contract: it fails when
a release renames or removes something used here.
"""

import functools
import logging
from collections.abc import Callable
from typing import Final

import aioice.ice
from aioice.ice import Connection, StunProtocol
from aiortc import RTCPeerConnection, RTCRtpReceiver
from aiortc.codecs import CODECS
from aiortc.rtcdtlstransport import RTCCertificate, SRTPProtectionProfile
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpCodecParameters
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci
from OpenSSL import SSL

from .backlog import DecoderQueue

__all__ = ["ReceiverView", "guard_ports", "prepare"]

H264_PROFILES: Final = ("4d001f", "640c1f", "64001f")
"""Main, constrained high and high, level 3.1; the level of an offer is not compared."""

FIRST_PAYLOAD_TYPE: Final = 110
RSA_CIPHERS: Final = b":".join(
    (
        b"ECDHE-ECDSA-AES128-GCM-SHA256",
        b"ECDHE-ECDSA-CHACHA20-POLY1305",
        b"ECDHE-ECDSA-AES128-SHA",
        b"ECDHE-ECDSA-AES256-SHA",
        b"ECDHE-RSA-AES128-GCM-SHA256",
        b"ECDHE-RSA-CHACHA20-POLY1305",
        b"ECDHE-RSA-AES128-SHA",
        b"ECDHE-RSA-AES256-SHA",
    )
)
"""What aiortc offers, then the same suites for peers whose certificate is RSA (GStreamer before 1.24)."""

REMB_BPS: Final = 1_500_000
"""Asked of every publisher; aiortc's own estimate starves 480p video to 330-520 kbit/s on a clean link."""


LOG_EVERY_S: Final = 1.0


@functools.cache
def prepare() -> None:
    """Teach aiortc what it leaves out; every later peer connection of this process has it. Harmless to repeat.

    H.264 main and high are negotiated; peers with RSA certificates are served; a machine without any
    network offers its loopback address; a stream that cannot be decoded is logged once a second, not per frame.
    """
    for step, profile in enumerate(H264_PROFILES):
        CODECS["video"] += _h264(profile, FIRST_PAYLOAD_TYPE + 2 * step)
    RTCCertificate._create_ssl_context = _with_rsa(RTCCertificate._create_ssl_context)  # type: ignore[method-assign]
    logging.getLogger("aiortc.rtcrtpreceiver").addFilter(Throttle(LOG_EVERY_S))
    aioice.ice.get_host_addresses = _or_loopback(aioice.ice.get_host_addresses)


def _h264(profile: str, payload_type: int) -> list[RTCRtpCodecParameters]:
    feedback = [
        RTCRtcpFeedback(type="nack"),
        RTCRtcpFeedback(type="nack", parameter="pli"),
        RTCRtcpFeedback(type="goog-remb"),
    ]
    parameters = {"level-asymmetry-allowed": "1", "packetization-mode": "1", "profile-level-id": profile}
    return [
        RTCRtpCodecParameters("video/H264", 90_000, None, payload_type, feedback, parameters),  # type: ignore[arg-type]
        RTCRtpCodecParameters("video/rtx", 90_000, None, payload_type + 1, [], {"apt": payload_type}),
    ]


def _with_rsa(create: Callable[..., SSL.Context]) -> Callable[..., SSL.Context]:
    @functools.wraps(create)
    def context(self: RTCCertificate, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        made = create(self, srtp_profiles=srtp_profiles)
        made.set_cipher_list(RSA_CIPHERS)
        return made

    return context


def _or_loopback(addresses: Callable[..., list[str]]) -> Callable[..., list[str]]:
    @functools.wraps(addresses)
    def found(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: FBT001  # aioice's own signature
        return addresses(use_ipv4, use_ipv6) or ["127.0.0.1"]

    return found


class Throttle(logging.Filter):
    """Lets one record through in `every_s` seconds."""

    def __init__(self, every_s: float) -> None:
        super().__init__()
        self._every_s = every_s
        self._next_s = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may pass."""
        if record.created < self._next_s:
            return False
        self._next_s = record.created + self._every_s
        return True


class ReceiverView:
    """What one `RTCRtpReceiver` knows; made before the receiver starts, it also bounds its queue.

    `codec` is the name of the codec that is being received; `received_bytes` counts encoded media of whole
    frames; `dropped_count` the encoded frames thrown away because the decoder was behind.
    """

    def __init__(self, receiver: RTCRtpReceiver) -> None:
        self._receiver = receiver
        self._queue = DecoderQueue(receiver._RTCRtpReceiver__decoder_error)  # type: ignore[attr-defined]
        receiver._RTCRtpReceiver__decoder_queue = self._queue  # type: ignore[attr-defined]
        receiver._RTCRtpReceiver__remote_bitrate_estimator = None  # type: ignore[attr-defined]

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
    def backlog(self) -> int:
        """Encoded frames that wait for the decoder."""
        return self._queue.qsize()

    @property
    def undelivered(self) -> int:
        """Decoded frames that wait for a reader of the track."""
        track = self._receiver.track
        return 0 if track is None else int(track._queue.qsize())  # type: ignore[attr-defined]

    @property
    def lost_packets(self) -> int:
        """Packets of the media stream that never came, retransmissions not counted; never negative."""
        streams = self._receiver._RTCRtpReceiver__remote_streams  # type: ignore[attr-defined]
        return sum(max(0, stream.packets_lost) for ssrc, stream in streams.items() if ssrc in self._media())

    def _media(self) -> set[int]:
        streams: set[int] = set(self._receiver._RTCRtpReceiver__remote_streams)  # type: ignore[attr-defined]
        return streams - set(self._receiver._RTCRtpReceiver__rtx_ssrc)  # type: ignore[attr-defined]

    async def ask_bitrate(self, bits_per_s: int = REMB_BPS) -> None:
        """Tell the publisher how much it may send (REMB); silent until media has come."""
        own = self._receiver._RTCRtpReceiver__rtcp_ssrc  # type: ignore[attr-defined]
        media = sorted(self._media())
        if own is None or not media:
            return
        fci = pack_remb_fci(bits_per_s, media)
        await self._receiver._send_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=own, media_ssrc=0, fci=fci))


def guard_ports(peer: RTCPeerConnection) -> "PortGuard":
    """Guard all sockets of a peer connection whose candidates are gathered."""
    guard = PortGuard()
    for transport in {each.receiver.transport.transport for each in peer.getTransceivers()}:
        for protocol in transport._connection._protocols:
            guard.watch(protocol)
    return guard


class PortGuard:
    """Drops datagrams that do not come from a peer known to ICE, and empty ones; counts them.

    aiortc hands every datagram that is not STUN to DTLS whoever sent it, where an empty one ends the session,
    and queues them without limit before the handshake. A peer is known once its connectivity check
    carried the right password (RFC 8445, section 7.3), or when its offer named the address.
    """

    def __init__(self) -> None:
        self.dropped_count = 0

    def watch(self, protocol: StunProtocol) -> None:
        """Put the guard before one `StunProtocol`."""
        deliver = protocol.datagram_received
        connection = protocol.receiver
        known: set[tuple[str, int]] = set()

        def guarded(data: bytes, address: tuple[str, int]) -> None:
            source = (address[0], address[1])
            if data and (source in known or _is_stun(data) or _remember(known, connection, source)):
                deliver(data, address)
            else:
                self.dropped_count += 1

        protocol.datagram_received = guarded  # type: ignore[method-assign,assignment]


def _is_stun(data: bytes) -> bool:
    """First two bits are 0 and the magic cookie follows (RFC 8489, section 5); DTLS starts at 20 (RFC 7983)."""
    return data[0] < 4 and data[4:8] == b"\x21\x12\xa4\x42"


def _remember(known: set[tuple[str, int]], connection: Connection, source: tuple[str, int]) -> bool:
    if any((each._network_host, each.port) == source for each in connection._remote_candidates):
        known.add(source)
        return True
    return False
