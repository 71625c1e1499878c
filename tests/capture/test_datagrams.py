# SPDX-License-Identifier: Apache-2.0
"""Datagrams of streams that are followed, and of those that are not."""

from types import SimpleNamespace

import pylibsrtp
import pytest
from aiortc.rtcdtlstransport import State
from aiortc.rtp import RtpPacket

from monitor.capture.adapter_contract import DATAGRAM_SHAPES, datagram_faults
from monitor.capture.adapter_datagrams import MOST_STREAMS, Datagrams
from monitor.capture.adapter_srtp import LONGEST_BYTES
from monitor.capture.packet import MediaPacket
from monitor.capture.route import Route, takes_datagrams
from monitor.config import CaptureSettings

KEY = bytes(range(30))


def session(direction: int) -> pylibsrtp.Session:
    """One end of SRTP."""
    return pylibsrtp.Session(pylibsrtp.Policy(key=KEY, ssrc_type=direction))


class Line:
    """A connection whose remote side is scripted; `left` is what aiortc gets, `taken` what is taken before it."""

    def __init__(self) -> None:
        self.left: list[bytes] = []
        self.taken: list[MediaPacket] = []
        self.receiver = object()
        self.connection = SimpleNamespace(data_received=lambda data, _: self.left.append(data), _protocols=[])
        self.dtls = SimpleNamespace(
            transport=SimpleNamespace(_connection=self.connection),
            _rx_srtp=session(pylibsrtp.Policy.SSRC_ANY_INBOUND),
            _state=State.CONNECTED,
            _rtp_router=SimpleNamespace(receivers={self.receiver}),
            _RTCDtlsTransport__rx_bytes=0,
            _RTCDtlsTransport__rx_packets=0,
        )
        self.sender = session(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self.datagrams = Datagrams.of(self.dtls, 0.0)

    def sent(self, sequence: int, ssrc: int = 5) -> bytes:
        """A packet as it is on the wire."""
        return self.sender.protect(RtpPacket(97, 1, sequence, 3000, ssrc, b"picture").serialize())

    def come(self, data: bytes) -> None:
        """A datagram arrives."""
        self.connection.data_received(data, 1)


@pytest.fixture
def line() -> Line:
    """One that follows stream 5."""
    made = Line()
    made.datagrams.follow(5, made.receiver, made.taken.append)
    return made


def test_followed_stream_is_taken_decrypted(line: Line) -> None:
    """Its packets never reach aiortc, and count where aiortc counts; every call for a transport gives the same one."""
    data = line.sent(1)
    line.come(data)
    assert line.taken == [MediaPacket(1, 97, 1, 3000, 5, b"picture")]
    assert line.left == []
    assert (line.dtls._RTCDtlsTransport__rx_packets, line.dtls._RTCDtlsTransport__rx_bytes) == (1, len(data))
    assert Datagrams.of(line.dtls, 0.0) is line.datagrams


def test_all_else_is_left_to_aiortc(line: Line) -> None:
    """DTLS, RTCP, unknown streams, and what is too short to tell, in order."""
    others = [b"\x16\xfe\xfd" + bytes(20), b"\x80\xc8" + bytes(26), line.sent(1, ssrc=6), b"\x80", b""]
    for data in others:
        line.come(data)
    assert (line.left, line.taken) == (others, [])


def test_forged_and_repeated_packets_are_nothing(line: Line) -> None:
    """A packet that was changed, comes twice or is longer than any SRTP packet is dropped, the next one is taken."""
    good = line.sent(1)
    for data in (good[:-1] + bytes([good[-1] ^ 1]), good, good, good + bytes(LONGEST_BYTES), line.sent(2)):
        line.come(data)
    assert [packet.sequence_number for packet in line.taken] == [1, 2]
    assert line.left == []


def test_ended_receiver_takes_nothing(line: Line) -> None:
    """After its end, or its connection's, aiortc gets what still comes."""
    line.dtls._rtp_router.receivers.clear()
    line.come(line.sent(1))
    line.dtls._rtp_router.receivers.add(line.receiver)
    line.dtls._state = State.CLOSED
    line.come(line.sent(2))
    assert (len(line.left), line.taken) == (2, [])


def test_invented_streams_are_bounded(line: Line) -> None:
    """Of a sender that begins ever new streams, as many as a call may have are followed."""
    for ssrc in range(100, 100 + 2 * MOST_STREAMS):
        line.datagrams.follow(ssrc, line.receiver, line.taken.append)
    line.come(line.sent(1, ssrc=100))
    line.come(line.sent(1, ssrc=100 + MOST_STREAMS))
    assert (len(line.taken), len(line.left)) == (1, 1)


def test_contract_is_kept() -> None:
    """Every private name that datagrams are taken by is there and as it was read."""
    assert datagram_faults() == ()


@pytest.mark.parametrize("name", sorted(DATAGRAM_SHAPES))
def test_other_release_gets_packets(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named, and the tap goes on with the packets that aiortc decrypts."""
    monkeypatch.setitem(DATAGRAM_SHAPES, name, lambda _: False)
    datagram_faults.cache_clear()
    try:
        assert datagram_faults() == (name,)
        assert not takes_datagrams()
        route = Route(CaptureSettings())
        assert (route.choose(), route.datagrams) == ("tap", False)
    finally:
        datagram_faults.cache_clear()
