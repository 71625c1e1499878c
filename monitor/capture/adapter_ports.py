# SPDX-License-Identifier: Apache-2.0
"""The sockets of a connection in; the same, deaf to strangers, out."""

from collections.abc import Callable
from typing import Final

from aioice.ice import Connection, StunProtocol
from aiortc import RTCPeerConnection

from .packet import is_media

__all__ = ["PortGuard", "guard_ports", "lose_packets"]

NO_STUN: Final = 128
"""What begins with this or more is media (RFC 7983), and aioice would try to read it as STUN first."""


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
            source = address[:2]
            if not (data and (source in known or _is_stun(data) or _remember(known, connection, source))):
                self.dropped_count += 1
            elif data[0] < NO_STUN:
                deliver(data, address)
            else:
                connection.data_received(data, protocol.local_candidate.component)

        protocol.datagram_received = guarded  # type: ignore[method-assign,assignment]


def _is_stun(data: bytes) -> bool:
    """First two bits are 0 and the magic cookie follows (RFC 8489, section 5); DTLS starts at 20 (RFC 7983)."""
    return data[0] < 4 and data[4:8] == b"\x21\x12\xa4\x42"


def _remember(known: set[tuple[str, int]], connection: Connection, source: tuple[str, int]) -> bool:
    if any((each._network_host, each.port) == source for each in connection._remote_candidates):
        known.add(source)
        return True
    return False


def lose_packets(peer: RTCPeerConnection, dropped: Callable[[], bool]) -> None:
    """Let media packets of a connection get lost, as a bad network does; signalling of all kinds comes through."""
    for transport in {each.receiver.transport.transport for each in peer.getTransceivers()}:
        for protocol in transport._connection._protocols:
            _spoil(protocol, dropped)


def _spoil(protocol: StunProtocol, dropped: Callable[[], bool]) -> None:
    deliver = protocol.datagram_received

    def lossy(data: bytes, address: tuple[str, int]) -> None:
        if not (len(data) > 1 and is_media(data) and dropped()):
            deliver(data, address)

    protocol.datagram_received = lossy  # type: ignore[method-assign,assignment]
