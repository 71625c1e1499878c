# SPDX-License-Identifier: Apache-2.0
"""Events in, what is known now and a bounded stream for each listener out; a sink of the publisher."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from monitor.publish.board import Board
from monitor.publish.events import AlertEvent, ChallengeEvent, Event

__all__ = ["Listener", "Live", "TooManyListenersError", "stream"]

_MAX_LISTENERS: Final = 64
# Newest wins within a subject, so this many subjects may be behind at once.
_MAX_WAITING: Final = 512


class TooManyListenersError(Exception):
    """Every place is taken."""


class Listener:
    """What one listener has not yet read: the newest event of each subject, every alert and challenge; bounded.

    When more waits than fits, the oldest verdict or state goes first, an alert only when nothing else is left;
    `dropped` counts both.
    """

    def __init__(self, max_waiting: int = _MAX_WAITING) -> None:
        self.dropped = 0
        self.closed = False
        self._max_waiting = max_waiting
        self._waiting: dict[tuple[str, str], Event] = {}
        self._something = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an event; it replaces what it makes obsolete."""
        key = (event.type, event.id if isinstance(event, AlertEvent | ChallengeEvent) else event.subject)
        self._waiting.pop(key, None)
        self._waiting[key] = event
        if len(self._waiting) > self._max_waiting:
            self._drop()
        self._something.set()

    def _drop(self) -> None:
        self.dropped += 1
        states = (key for key, event in self._waiting.items() if not isinstance(event, AlertEvent))
        del self._waiting[next(states, next(iter(self._waiting)))]

    def close(self) -> None:
        """End the stream after what waits."""
        self.closed = True
        self._something.set()

    async def get(self, timeout_s: float) -> Event | None:
        """The event waiting longest; None when nothing came in time or the stream is closed."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._something.wait()
        except TimeoutError:
            return None
        event = self._waiting.pop(next(iter(self._waiting))) if self._waiting else None
        if not self._waiting and not self.closed:
            self._something.clear()
        return event


class Live:
    """The board, kept up to date, and the listeners; call it with each event."""

    def __init__(self) -> None:
        self.board = Board()
        self._listeners: set[Listener] = set()
        self._dropped = 0

    def __call__(self, event: Event) -> None:
        """Take in an event and hand it to every listener."""
        self.board.apply(event)
        for listener in self._listeners:
            listener.put(event)

    @property
    def listeners(self) -> int:
        """Listeners now."""
        return len(self._listeners)

    @property
    def dropped(self) -> int:
        """Events that slow listeners never saw."""
        return self._dropped + sum(listener.dropped for listener in self._listeners)

    def listen(self) -> Listener:
        """A listener that first reads all that is known; raises TooManyListenersError."""
        if len(self._listeners) >= _MAX_LISTENERS:
            raise TooManyListenersError
        listener = Listener()
        for event in self.board.everything():
            listener.put(event)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            self._dropped += listener.dropped

    def close(self) -> None:
        """End every stream, so that the HTTP server can stop."""
        for listener in self._listeners:
            listener.close()


async def stream(listener: Listener, idle_s: float) -> AsyncIterator[Event | None]:
    """Events as they come, and None whenever nothing came for `idle_s`; ends when the listener is closed."""
    while True:
        event = await listener.get(idle_s)
        if event is None and listener.closed:
            return
        yield event
