# SPDX-License-Identifier: Apache-2.0
"""What a connection knows of the stream that it receives, as the tap asks for it."""

from typing import Protocol

__all__ = ["StreamView"]


class StreamView(Protocol):
    """One video stream while it is received; counters since it began."""

    @property
    def codec(self) -> str:
        """Codec in lower case, "unknown" before the first picture."""

    @property
    def received_bytes(self) -> int:
        """Encoded bytes of whole pictures."""

    @property
    def lost_packets(self) -> int:
        """Packets that never came, retransmissions not counted."""

    @property
    def dropped_count(self) -> int:
        """Coded pictures that came and were not decoded: the decoder was behind, or could not have shown them."""

    @property
    def waiting(self) -> int:
        """Pictures that wait, coded or decoded."""

    @property
    def waiting_packets(self) -> int:
        """Packets that wait for their turn, or for the rest of what comes before them."""

    @property
    def newest_s(self) -> float | None:
        """Arrival of the newest picture decoded (monotonic), None when the tap sees every picture itself."""
