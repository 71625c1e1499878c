# SPDX-License-Identifier: Apache-2.0
"""An SDP offer as text in; the same offer, known to be one that a session can hold, or an error out."""

import re
from collections.abc import Mapping
from typing import Final

from aiortc.codecs import CODECS, is_rtx
from aiortc.rtcdtlstransport import X509_DIGEST_ALGORITHMS
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.sdp import MediaDescription, SessionDescription

from monitor.errors import CodecError, OfferError

from .codecs import decodable
from .route import Path

__all__ = ["MAX_CANDIDATES", "SEND_HINT", "checked_offer"]

MAX_SECTIONS: Final = 8
MAX_CANDIDATES: Final = 64
"""Candidates of one session; each makes this host send connectivity checks to an address of the peer's choice."""

SEND_HINT: Final = "Offer one sendonly video track (VP8, H.264, VP9 or AV1) and at most one audio track, bundled."
ICE_NAME: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
ICE_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/]{22,256}")
SECTION: Final = re.compile(r"^(?=m=)", re.MULTILINE)
DIRECTIONS: Final = frozenset({"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"})
AUDIO_ADVICE: Final = "Offer Opus, G.722, PCMU or PCMA, or leave audio out."
VIDEO_ADVICE: Final[Mapping[Path, str]] = {
    "tap": "Offer VP8, H.264, or VP9 or AV1 of profile 0; in a browser use setCodecPreferences.",
    "plain": "Offer VP8 or H.264, for others need capture.path: tap; in a browser use setCodecPreferences.",
}


def checked_offer(text: str, path: Path = "tap") -> str:
    """Check everything that would otherwise fail half-way through the negotiation (RFC 9725, section 4.4).

    Codecs that cannot be decoded on the path are taken out, so that the answer does not name them. Raises `OfferError`
    for text that is not SDP or offers other than one video and at most one audio track to send, `CodecError` when a
    track has no codec that can be decoded here.
    """
    text = _directed(text)
    description = _parsed(text)
    media = description.media
    _demand(bool(media), "The offer has no media.")
    _demand(len(media) <= MAX_SECTIONS, f"The offer has more than {MAX_SECTIONS} media sections.")
    _demand(all(each.kind in CODECS for each in media), "The offer has a data channel or another section than media.")
    mids = {each.rtp.muxId for each in media}
    _demand(len(mids) == len(media), "Two media sections have the same mid.")
    _demand(all(set(each.items) <= mids for each in description.group), "A group names a mid that is not there.")
    for each in media:
        _check_section(each, path)
    _check_tracks(media)
    return _decodable_only(text, media, path)


def _directed(text: str) -> str:
    """Write out the direction where a section leaves it out: the session's, or sendrecv (RFC 8866, section 6.7)."""
    session, *sections = [part.splitlines() for part in SECTION.split(text)]
    default = next((line for line in session if line in DIRECTIONS), "a=sendrecv")
    whole = [part if DIRECTIONS.intersection(part) else [*part, default] for part in sections]
    return "".join(f"{line}\r\n" for part in [session, *whole] for line in part if line)


def _parsed(text: str) -> SessionDescription:
    try:
        return SessionDescription.parse(text)
    except Exception as error:  # the parser raises whatever the text leads it to
        raise OfferError("The body is not a session description (SDP).", "Send the offer as WebRTC made it.") from error


def _check_section(media: MediaDescription, path: Path) -> None:
    taken = [each for each in media.rtp.codecs if decodable(each, path)]
    if not any(not is_rtx(each) for each in find_common_codecs(CODECS[media.kind], taken)):
        offered = ", ".join(sorted({each.name for each in media.rtp.codecs if not is_rtx(each)})) or "nothing"
        advice = AUDIO_ADVICE if media.kind == "audio" else VIDEO_ADVICE[path]
        raise CodecError(f"No {media.kind} codec of the offer can be decoded: {offered}.", advice)
    _demand(media.rtcp_mux, "The offer does not multiplex RTP and RTCP (a=rtcp-mux).")
    name, password = (media.ice.usernameFragment, media.ice.password) if media.ice else (None, None)
    _demand(bool(ICE_NAME.fullmatch(name or "")), "The ICE user name is missing or malformed.")
    _demand(bool(ICE_PASSWORD.fullmatch(password or "")), "The ICE password is missing or malformed.")
    algorithms = {each.algorithm.lower() for each in media.dtls.fingerprints} if media.dtls else set()
    _demand(bool(algorithms & X509_DIGEST_ALGORITHMS.keys()), "The DTLS fingerprint or setup attribute is missing.")
    _demand(len(media.ice_candidates) <= MAX_CANDIDATES, f"The offer has more than {MAX_CANDIDATES} candidates.")


def _check_tracks(media: list[MediaDescription]) -> None:
    sent = [each.kind for each in media if each.direction in {"sendonly", "sendrecv"}]
    _demand("video" in sent, "The offer sends no video." if "audio" not in sent else "The offer sends audio only.")
    _demand(sent.count("video") == 1, f"The offer sends {sent.count('video')} video tracks.")
    _demand(sent.count("audio") <= 1, f"The offer sends {sent.count('audio')} audio tracks.")


def _decodable_only(text: str, media: list[MediaDescription], path: Path) -> str:
    session, *sections = SECTION.split(text)
    kept = [_without(part, each, path) for part, each in zip(sections, media, strict=True)]
    return "".join([session, *kept])


def _without(section: str, media: MediaDescription, path: Path) -> str:
    """A payload type without its rtpmap line means nothing, and what is sent again of it (RTX) falls with it."""
    types = [str(each.payloadType) for each in media.rtp.codecs if not decodable(each, path)]
    told = tuple(f"a={name}:{each} " for each in types for name in ("rtpmap", "fmtp", "rtcp-fb"))
    return "".join(line for line in section.splitlines(keepends=True) if not line.startswith(told))


def _demand(condition: bool, what: str) -> None:  # noqa: FBT001  # reads as an assertion
    if not condition:
        raise OfferError(what, SEND_HINT)
