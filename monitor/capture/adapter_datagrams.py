# SPDX-License-Identifier: Apache-2.0
"""Datagrams of a connection in; packets of the streams that are followed, decrypted, and all else to aiortc, out."""

from collections.abc import Callable
from typing import Any, Final, Self

from aiortc import RTCDtlsTransport, RTCRtpReceiver
from aiortc.rtcdtlstransport import State

from .adapter_sockets import gather
from .adapter_srtp import LONGEST_BYTES, Opener
from .packet import SOURCE, MediaPacket, is_media, parse

__all__ = ["MOST_STREAMS", "Datagrams"]

MOST_STREAMS: Final = 64
"""Streams followed of one connection; a sender that invents more of them is served by aiortc."""

Take = Callable[[MediaPacket], None]


class Datagrams:
    """Takes media before aiortc's queue, its task and its parser; DTLS, RTCP and unknown streams stay with aiortc.

    A stream comes here by `follow`, when aiortc has routed its first packet (BUNDLE, RFC 8843): which receiver a stream
    belongs to is never decided here. It sits behind every socket and every relay of the connection, so a change of
    the nominated pair changes nothing. What belongs to a connection or a receiver that has ended is left to aiortc.
    """

    def __init__(self, dtls: RTCDtlsTransport, gather_s: float) -> None:
        held: Any = dtls
        self._dtls = held
        self._streams: dict[bytes, tuple[RTCRtpReceiver, Take]] = {}
        self._opener: Opener | None = None
        connection = held.transport._connection
        self._deliver: Callable[[bytes, int], None] = connection.data_received
        connection.data_received = self._received
        for protocol in connection._protocols if gather_s else ():
            gather(protocol, gather_s)

    @classmethod
    def of(cls, dtls: RTCDtlsTransport, gather_s: float) -> Self:
        """The one of this transport, made at the first call; its sockets are read every `gather_s`, as in `gather`."""
        held: Any = dtls
        there = getattr(held.transport._connection.data_received, "__self__", None)
        return there if isinstance(there, cls) else cls(dtls, gather_s)

    def follow(self, ssrc: int, receiver: RTCRtpReceiver, take: Take) -> None:
        """Pass each packet of the stream to `take` from now on."""
        if len(self._streams) < MOST_STREAMS:
            self._streams[ssrc.to_bytes(4, "big")] = receiver, take

    def _received(self, data: bytes, component: int) -> None:
        stream = self._streams.get(data[SOURCE])
        if stream is not None and is_media(data) and self._open(stream[0]):
            packet = self._opened(data)
            if packet is not None:
                stream[1](packet)
        elif len(data) <= LONGEST_BYTES or not is_media(data):
            self._deliver(data, component)

    def _open(self, receiver: RTCRtpReceiver) -> bool:
        dtls = self._dtls
        return dtls._state is State.CONNECTED and receiver in dtls._rtp_router.receivers

    def _opened(self, data: bytes) -> MediaPacket | None:
        """The packet of a datagram, None when it is forged, sent twice or no RTP; counted as aiortc counts."""
        dtls = self._dtls
        dtls._RTCDtlsTransport__rx_bytes += len(data)
        dtls._RTCDtlsTransport__rx_packets += 1
        if self._opener is None or self._opener.session is not dtls._rx_srtp:
            self._opener = Opener(dtls._rx_srtp)
        opened = self._opener.opened(data)
        try:
            return None if opened is None else parse(opened)
        except ValueError:
            return None
