# SPDX-License-Identifier: Apache-2.0
"""The name of a codec in; how its payloads are taken apart, and joined to a coded picture, out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from .part import Part
from .payload_av1 import av1_part, av1_unit
from .payload_h264 import h264_part
from .payload_vp8 import vp8_part
from .payload_vp9 import vp9_part

__all__ = ["PARSERS", "joined"]

PARSERS: Final[Mapping[str, Callable[[bytes], Part]]] = {
    "vp8": vp8_part,
    "h264": h264_part,
    "vp9": vp9_part,
    "av1": av1_part,
}
"""What can be taken apart here, by the codec's name in lower case."""


def joined(codec: str, parts: Sequence[bytes]) -> bytes:
    """One coded picture as decoders take it, empty when none of it is decoded. Raises ValueError for a broken one."""
    return av1_unit(parts) if codec == "av1" else b"".join(parts)
