# SPDX-License-Identifier: Apache-2.0
"""The contract with the pinned aiortc, and what the adapter makes of it."""

import asyncio
import datetime as dt
import importlib.metadata
import logging
import threading
from types import SimpleNamespace

import aioice.ice
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import CODECS
from aiortc.rtcdtlstransport import RTCCertificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from monitor.capture.adapter import Throttle, prepare
from monitor.capture.adapter_ports import PortGuard
from monitor.capture.adapter_receiver import ReceiverView
from tests.fakes.calls import Pattern, until


async def connected(sender: RTCPeerConnection, receiver: RTCPeerConnection) -> str:
    """Negotiate sender to receiver; gives the state the sender comes to rest in."""
    await sender.setLocalDescription(await sender.createOffer())
    await receiver.setRemoteDescription(RTCSessionDescription(sender.localDescription.sdp, "offer"))
    await receiver.setLocalDescription(await receiver.createAnswer())
    await sender.setRemoteDescription(RTCSessionDescription(receiver.localDescription.sdp, "answer"))
    await until(lambda: sender.connectionState not in {"new", "connecting"})
    return sender.connectionState


def pair() -> tuple[RTCPeerConnection, RTCPeerConnection]:
    """Two peers without STUN servers."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[])), RTCPeerConnection(RTCConfiguration(iceServers=[]))


def test_pinned_releases() -> None:
    """The private names below were read in these releases; a newer one is to be read again first."""
    assert importlib.metadata.version("aiortc").startswith("1.16.")
    assert importlib.metadata.version("aioice").startswith("0.13.")


async def test_private_names_are_there() -> None:
    """Every private name that the adapter uses exists and is of the kind it takes it for."""
    peer, _ = pair()
    receiver = peer.addTransceiver("video", "recvonly").receiver
    assert isinstance(receiver._RTCRtpReceiver__decoder_error, threading.Event)
    assert receiver._RTCRtpReceiver__decoder_queue.qsize() == 0
    assert receiver._RTCRtpReceiver__remote_bitrate_estimator is not None
    assert receiver._RTCRtpReceiver__remote_streams == receiver._RTCRtpReceiver__rtx_ssrc == {}
    assert receiver._RTCRtpReceiver__rtcp_ssrc == peer.getTransceivers()[0].sender._ssrc
    assert asyncio.iscoroutinefunction(receiver._send_rtcp)
    connection = receiver.transport.transport._connection
    assert isinstance(connection, aioice.ice.Connection)
    assert connection._protocols == connection._remote_candidates == []
    assert callable(RTCCertificate._create_ssl_context)
    await peer.close()


def test_prepare_is_harmless_to_repeat() -> None:
    """Each profile of H.264 is on the list once per packetization mode, VP9 and AV1 last; payload types are unique."""
    prepare()
    prepare()
    modes = [
        (each.parameters["profile-level-id"], each.parameters["packetization-mode"])
        for each in CODECS["video"]
        if each.name == "H264"
    ]
    profiles = ("42001f", "42e01f", "4d001f", "640c1f", "64001f")
    assert sorted(modes) == sorted((profile, mode) for profile in profiles for mode in "01")
    assert [each.name for each in CODECS["video"][-4:]] == ["VP9", "rtx", "AV1", "rtx"]
    types = [each.payloadType for each in CODECS["video"] + CODECS["audio"]]
    assert len(types) == len(set(types))


def test_loopback_only_without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with addresses offers those; one without any offers loopback."""
    prepare()
    monkeypatch.setattr(aioice.ice.ifaddr, "get_adapters", list)
    assert aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ["127.0.0.1"]


async def test_rsa_certificates_are_served() -> None:
    """A peer whose certificate is RSA, as GStreamer's is, completes the DTLS handshake."""
    prepare()
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "caller")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    sender, receiver = pair()
    sender._RTCPeerConnection__certificates[:] = [RTCCertificate(key, certificate)]
    sender.addTransceiver(Pattern(64, 48), "sendonly")
    try:
        assert await connected(sender, receiver) == "connected"
    finally:
        await sender.close()
        await receiver.close()


async def test_asked_bitrate_reaches_the_publisher(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fixed REMB sets the publisher's encoder to it, and aiortc's own estimate does not interfere."""
    prepare()
    sender, receiver = pair()
    views: list[ReceiverView] = []
    receiver.on("track", lambda _: views.append(ReceiverView(receiver.getTransceivers()[0].receiver)))
    video = sender.addTransceiver(Pattern(64, 48), "sendonly").sender
    try:
        assert await connected(sender, receiver) == "connected"
        await views[0].ask_bitrate(1_000_000)
        await until(lambda: views[0].received_bytes)
        await views[0].ask_bitrate(1_234_000)
        await until(lambda: abs(video._RTCRtpSender__encoder.target_bitrate - 1_234_000) < 10_000)
        assert views[0].codec == "vp8"
        assert views[0].lost_packets == 0
        assert 0 < views[0].waiting_packets < 20
    finally:
        await sender.close()
        await receiver.close()


def test_broken_stream_does_not_flood_the_log() -> None:
    """Of many records in a second one passes, and one in the next."""
    throttle = Throttle(1.0)
    record = logging.makeLogRecord({"created": 50.0})
    passed = []
    for step in range(60):
        record.created = 50.0 + step / 30
        passed.append(throttle.filter(record))
    assert passed.count(True) == 2
    prepare()
    assert [filter_ for filter_ in logging.getLogger("aiortc.rtcrtpreceiver").filters if isinstance(filter_, Throttle)]


class FakeProtocol:
    """A socket of aioice as far as the guard sees it."""

    def __init__(self, known: list[tuple[str, int]]) -> None:
        self.got: list[bytes] = []
        self.media: list[bytes] = []
        self.local_candidate = SimpleNamespace(component=1)
        candidates = [FakeCandidate(*each) for each in known]
        self.receiver = SimpleNamespace(
            _remote_candidates=candidates, data_received=lambda data, _: self.media.append(data)
        )

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.got.append(data)


class FakeCandidate:
    """An address of the other side."""

    def __init__(self, host: str, port: int) -> None:
        self._network_host, self.port = host, port


def test_guard_lets_only_known_peers_through() -> None:
    """STUN passes from anywhere, for it carries its own proof; all else only from addresses known to ICE.

    Media go past aioice's search for STUN in them.
    """
    hello = b"\x16\xfe\xfd" + bytes(20)
    stun = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
    media = b"\x80\x60" + bytes(20)
    protocol, guard = FakeProtocol([("10.0.0.1", 5000)]), PortGuard()
    guard.watch(protocol)
    protocol.datagram_received(media, ("10.0.0.9", 5000))
    protocol.datagram_received(b"", ("10.0.0.1", 5000))
    protocol.datagram_received(stun[:6], ("10.0.0.9", 5000))
    assert (protocol.got, guard.dropped_count) == ([], 3)
    protocol.datagram_received(stun, ("10.0.0.9", 5000))
    protocol.datagram_received(media, ("10.0.0.1", 5000))
    protocol.datagram_received(hello, ("10.0.0.1", 5000))
    assert (protocol.got, protocol.media, guard.dropped_count) == ([stun, hello], [media], 3)
    protocol.receiver._remote_candidates.append(FakeCandidate("10.0.0.9", 5000))
    protocol.datagram_received(media, ("10.0.0.9", 5000))
    assert guard.dropped_count == 3
