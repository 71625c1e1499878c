# SPDX-License-Identifier: Apache-2.0
"""A negotiated codec and the path that media take in; whether they can be decoded there out."""

from collections.abc import Mapping
from typing import Final, Protocol

from aiortc.rtcrtpparameters import ParametersDict

from .route import Path

__all__ = ["Codec", "decodable"]

PROFILE: Final[Mapping[str, str]] = {"vp9": "profile-id", "av1": "profile"}
"""Codecs that are taken apart on the tap only, and the parameter that names their profile (RFC 9628; AOM RTP)."""


class Codec(Protocol):
    """An entry of a description or of the list of what aiortc can do."""

    @property
    def name(self) -> str:
        """Name of the codec in any case."""

    @property
    def parameters(self) -> ParametersDict:
        """What its fmtp line says."""


def decodable(codec: Codec, path: Path) -> bool:
    """Whether a stream of this codec can be decoded on this path; of VP9 and AV1 profile 0 (8 bits, 4:2:0) alone."""
    parameter = PROFILE.get(codec.name.lower())
    return parameter is None or (path == "tap" and str(codec.parameters.get(parameter) or "0") == "0")
