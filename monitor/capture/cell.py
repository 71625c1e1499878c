# SPDX-License-Identifier: Apache-2.0
"""Items of a producer in, the newest of them out: a hand-over that can hold one item only."""

import asyncio
from typing import Generic, TypeVar

__all__ = ["Cell"]

T = TypeVar("T")


class Cell(Generic[T]):
    """One slot between two coroutines of one loop; a new item replaces one that was not taken yet.

    A queue between a camera and a slower reader only adds delay, so here the reader always gets the
    newest item. `put_count`, `taken_count` and `replaced_count` account for every item.
    """

    def __init__(self) -> None:
        self._item: T | None = None
        self._change = asyncio.Event()
        self._closed = False
        self.put_count = 0
        self.taken_count = 0
        self.replaced_count = 0

    @property
    def closed(self) -> bool:
        """Whether no further item can come."""
        return self._closed

    def put(self, item: T) -> None:
        """Offer an item; after `close` it is counted as replaced and forgotten."""
        self.put_count += 1
        if self._closed:
            self.replaced_count += 1
            return
        self.replaced_count += self._item is not None
        self._item = item
        self._change.set()

    def close(self) -> None:
        """Let a waiting reader go; an item that waits is still handed over."""
        self._closed = True
        self._change.set()

    async def take(self, timeout_s: float) -> T | None:
        """Wait for an item; None when none came within `timeout_s`, or when the cell is closed and empty."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._change.wait()
        except TimeoutError:
            return None
        item, self._item = self._item, None
        self.taken_count += item is not None
        if not self._closed:
            self._change.clear()
        return item
