# SPDX-License-Identifier: Apache-2.0
"""aiortc as it is in, aiortc as a monitor needs it out.

The modules `adapter*` are the only ones that touch private names, of aiortc 1.16, aioice 0.13 and pylibsrtp 1.0.
`tests/capture/test_adapter.py` holds the contract: it fails when a release renames or removes something used in them.
"""

import functools
import logging
from collections.abc import Callable
from typing import Final

import aioice.ice
from aiortc import rtp
from aiortc.codecs import CODECS
from aiortc.rtcdtlstransport import RTCCertificate, SRTPProtectionProfile
from aiortc.rtcrtpparameters import ParametersDict, RTCRtcpFeedback, RTCRtpCodecParameters
from OpenSSL import SSL

__all__ = ["prepare"]

H264: Final = (
    *(("1", profile) for profile in ("4d001f", "640c1f", "64001f")),
    *(("0", profile) for profile in ("42001f", "42e01f", "4d001f", "640c1f", "64001f")),
)
"""Packetization modes and profiles that aiortc lacks: main, constrained high and high, and every one in mode 0.

The level, 3.1 here, is not compared with that of an offer.
"""

FIRST_PAYLOAD_TYPE: Final = 103
"""The first one after aiortc's own; two are taken for each entry, up to the last dynamic one, 127."""

DYNAMIC_PAYLOAD_TYPES: Final = (*range(35, 64), *range(96, 128))
"""aiortc's own, and the lower ones that browsers give to AV1 because these are used up."""

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

LOG_EVERY_S: Final = 1.0


@functools.cache
def prepare() -> None:
    """Teach aiortc what it leaves out; every later peer connection of this process has it. Harmless to repeat.

    H.264 of every profile and mode, VP9 and AV1 are negotiated, with the payload types that were offered; peers with
    RSA certificates are served; a machine without any network offers its loopback address; a stream that cannot be
    decoded is logged once a second, not per frame.
    """
    added = [("video/H264", _h264(mode, profile)) for mode, profile in H264]
    added += [("video/VP9", {"profile-id": "0"}), ("video/AV1", {})]
    for step, (mime, parameters) in enumerate(added):
        CODECS["video"] += _entries(mime, FIRST_PAYLOAD_TYPE + 2 * step, parameters)
    rtp.DYNAMIC_PAYLOAD_TYPES = DYNAMIC_PAYLOAD_TYPES  # type: ignore[assignment]
    RTCCertificate._create_ssl_context = _with_rsa(RTCCertificate._create_ssl_context)  # type: ignore[method-assign]
    logging.getLogger("aiortc.rtcrtpreceiver").addFilter(Throttle(LOG_EVERY_S))
    aioice.ice.get_host_addresses = _or_loopback(aioice.ice.get_host_addresses)


def _h264(mode: str, profile: str) -> ParametersDict:
    return {"level-asymmetry-allowed": "1", "packetization-mode": mode, "profile-level-id": profile}


def _entries(mime: str, payload_type: int, parameters: ParametersDict) -> list[RTCRtpCodecParameters]:
    feedback = [
        RTCRtcpFeedback(type="nack"),
        RTCRtcpFeedback(type="nack", parameter="pli"),
        RTCRtcpFeedback(type="goog-remb"),
    ]
    return [
        RTCRtpCodecParameters(mime, 90_000, None, payload_type, feedback, parameters),
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
