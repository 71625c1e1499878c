# SPDX-License-Identifier: Apache-2.0
"""A feed that a test drives by hand."""

import asyncio
from collections.abc import AsyncIterator

from monitor.capture.feed import FeedCounts
from monitor.values import AudioChunk, Media

__all__ = ["ScriptedFeed"]


class ScriptedFeed:
    """Gives the media put into it, in order, and ends when closed."""

    def __init__(self, call: str = "call", participant: str = "ann", media: tuple[Media, ...] = ()) -> None:
        self.call = call
        self.participant = participant
        self.samples_per_s = 5.0
        self.counts = FeedCounts()
        self.closed = asyncio.Event()
        self._media = media

    async def media(self) -> AsyncIterator[Media]:
        """What the script holds, then silence until the feed is closed."""
        for each in self._media:
            yield each
        await self.closed.wait()

    def heard(self, seconds: float) -> tuple[AudioChunk, ...]:
        """Nothing is ever heard."""
        return ()

    async def close(self) -> None:
        """End the media."""
        self.closed.set()
