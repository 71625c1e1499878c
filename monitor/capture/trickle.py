# SPDX-License-Identifier: Apache-2.0
"""An SDP fragment as text in; the ICE candidates it trickles out (RFC 8840)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiortc import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

from monitor.errors import OfferError

from .offer import MAX_CANDIDATES

__all__ = ["Fragment", "parsed_fragment"]

USERNAME: Final = "a=ice-ufrag:"


@dataclass(frozen=True, slots=True)
class Fragment:
    """Candidates in order; `username` is the ICE user name of the generation they belong to, None if not said."""

    username: str | None
    candidates: tuple[RTCIceCandidate, ...]
    complete: bool


def parsed_fragment(text: str) -> Fragment:
    """Parse an `application/trickle-ice-sdpfrag` body; raises `OfferError` for anything else."""
    lines = [line.strip() for line in text.splitlines()]
    names = [line[len(USERNAME) :] for line in lines if line.startswith(USERNAME)]
    candidates = tuple(_candidates(lines))
    complete = "a=end-of-candidates" in lines
    if len(candidates) > MAX_CANDIDATES:
        raise OfferError(f"More than {MAX_CANDIDATES} candidates at once.", "Send candidates as they are found.")
    if not names and not candidates and not complete:
        raise OfferError("The body is not a trickle ICE fragment.", "Send candidates as RFC 8840 says.")
    return Fragment(names[0] if names else None, candidates, complete)


def _candidates(lines: list[str]) -> Iterator[RTCIceCandidate]:
    section, mid = -1, None
    for line in lines:
        name, _, value = line.partition(":")
        if line.startswith("m="):
            section, mid = section + 1, None
        elif name == "a=mid":
            mid = value
        elif name == "a=candidate":
            yield _candidate(value, mid, max(section, 0))


def _candidate(value: str, mid: str | None, section: int) -> RTCIceCandidate:
    try:
        candidate = candidate_from_sdp(value)
    except Exception as error:  # the parser raises whatever the text leads it to
        raise OfferError("A candidate is malformed.", "Send candidates as WebRTC made them.") from error
    candidate.sdpMid = mid
    candidate.sdpMLineIndex = section if mid is None else None
    return candidate
