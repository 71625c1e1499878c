# SPDX-License-Identifier: Apache-2.0
"""Picture ids in order in; which pictures a decoder has, by their distance from the newest, out."""

from typing import Final

__all__ = ["DecodedPictures"]

FARTHEST: Final = 127
"""A reference goes back by at most this many picture ids (RFC 9628, section 4.2: seven bits)."""


class DecodedPictures:
    """Remembers the pictures of the last 127 ids that were decoded."""

    def __init__(self) -> None:
        self._decoded: set[int] = set()
        self._newest = 0

    def forget(self) -> None:
        """No picture is at the decoder."""
        self._decoded.clear()

    def advance(self, picture_id: int, id_bits: int) -> None:
        """Go on to the picture with this id, which wraps."""
        self._newest += (picture_id - self._newest) % (1 << id_bits)
        self._decoded = {each for each in self._decoded if self._newest - each <= FARTHEST}

    def add(self) -> None:
        """The newest picture is decoded."""
        self._decoded.add(self._newest)

    def leave_out(self) -> None:
        """The newest picture is not decoded after all."""
        self._decoded.discard(self._newest)

    def has(self, distance: int) -> bool:
        """Whether the picture so many ids before the newest was decoded."""
        return self._newest - distance in self._decoded
