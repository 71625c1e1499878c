# SPDX-License-Identifier: Apache-2.0
"""The installed aiortc and aioice in; what the encoded path needs of them and does not find out."""

import functools
import inspect
import select
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final

import pylibsrtp
from aioice.ice import Connection, StunProtocol
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, RTCRtpReceiver
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpreceiver import StreamStatistics

from .adapter_srtp import Opener
from .packet import MediaPacket

__all__ = ["datagram_faults", "tap_faults"]

Shapes = Mapping[str, Callable[[Any], bool]]


@functools.cache
def tap_faults() -> tuple[str, ...]:
    """Names that `PacketHook` needs of aiortc and that are missing or of another shape; empty for aiortc 1.16."""
    return _faults(SHAPES, lambda: RTCRtpReceiver("video", SimpleNamespace(state="new")))  # type: ignore[arg-type]


@functools.cache
def datagram_faults() -> tuple[str, ...]:
    """What `Datagrams` and `gather` need and is missing or of another shape; empty for the pinned releases."""
    return _faults(DATAGRAM_SHAPES, _transport)


def _faults(shapes: Shapes, make: Callable[[], object]) -> tuple[str, ...]:
    try:
        made = make()
        found = {name: check(made) for name, check in shapes.items()}
    except Exception as error:  # whatever another release makes of it
        return (f"{type(error).__name__}: {error}",)
    return tuple(name for name, fits in found.items() if not fits)


def _transport() -> RTCDtlsTransport:
    ice = RTCIceTransport(RTCIceGatherer(iceServers=[]))
    return RTCDtlsTransport(ice, [RTCCertificate.generateCertificate()])


def _holds(name: str, value: object) -> Callable[[Any], bool]:
    return lambda held: getattr(held, name, None) == value


def _coroutine(name: str, *parameters: str) -> Callable[[Any], bool]:
    def fits(receiver: object) -> bool:
        method = getattr(receiver, name, None)
        return inspect.iscoroutinefunction(method) and tuple(inspect.signature(method).parameters) == parameters

    return fits


def _counts(_receiver: object) -> bool:
    statistics = StreamStatistics(90_000)
    statistics.add(MediaPacket(0, 96, 1, 0, 5, b""))  # type: ignore[arg-type]
    statistics.add(MediaPacket(0, 96, 3, 0, 5, b""))  # type: ignore[arg-type]
    return bool(statistics.packets_lost == 1)


def _passes_on(_dtls: object) -> bool:
    """Whether a datagram that is no STUN goes from a socket to its connection."""
    got: list[tuple[bytes, int]] = []
    connection = SimpleNamespace(data_received=lambda data, component: got.append((data, component)))
    port: Any = SimpleNamespace(receiver=connection, local_candidate=SimpleNamespace(component=1))
    StunProtocol.datagram_received(port, b"\x80\x60", ("127.0.0.1", 9))
    return got == [(b"\x80\x60", 1)]


def _opens(_dtls: object) -> bool:
    """Whether what was encrypted comes out as it was."""
    ends = (pylibsrtp.Policy.SSRC_ANY_OUTBOUND, pylibsrtp.Policy.SSRC_ANY_INBOUND)
    sender, receiver = (pylibsrtp.Session(pylibsrtp.Policy(key=bytes(30), ssrc_type=end)) for end in ends)
    data = b"\x80\x60" + bytes(10) + b"payload"
    return Opener(receiver).opened(sender.protect(data)) == data


SHAPES: Final[Shapes] = {
    "_handle_rtp_packet": _coroutine("_handle_rtp_packet", "packet", "arrival_time_ms"),
    "_send_rtcp_nack": _coroutine("_send_rtcp_nack", "media_ssrc", "lost"),
    "_send_rtcp_pli": _coroutine("_send_rtcp_pli", "media_ssrc"),
    "_send_rtcp": _coroutine("_send_rtcp", "packet"),
    "_enabled": lambda receiver: receiver._enabled is True,
    "__codecs": _holds("_RTCRtpReceiver__codecs", {}),
    "__rtx_ssrc": _holds("_RTCRtpReceiver__rtx_ssrc", {}),
    "__remote_streams": _holds("_RTCRtpReceiver__remote_streams", {}),
    "__rtcp_ssrc": lambda receiver: receiver._RTCRtpReceiver__rtcp_ssrc is None,
    "StreamStatistics": _counts,
}
"""Each private name of the encoded path, and whether it is as it was read."""

DATAGRAM_SHAPES: Final[Shapes] = {
    "_rx_srtp": lambda dtls: dtls._rx_srtp is None,
    "_state": lambda dtls: dtls._state is State.NEW and hasattr(State, "CONNECTED"),
    "_rtp_router": lambda dtls: dtls._rtp_router.receivers == set(),
    "__rx_bytes": _holds("_RTCDtlsTransport__rx_bytes", 0),
    "__rx_packets": _holds("_RTCDtlsTransport__rx_packets", 0),
    "_protocols": lambda dtls: dtls.transport._connection._protocols == [],
    "data_received": lambda _: (
        tuple(inspect.signature(Connection.data_received).parameters)[1:] == ("data", "component")
    ),
    "datagram_received": _passes_on,
    "_srtp": _opens,
    "epoll": lambda _: hasattr(select, "epoll"),
}
"""The same for datagrams."""
