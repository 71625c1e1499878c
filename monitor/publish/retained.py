# SPDX-License-Identifier: Apache-2.0
"""Retained letters in, those the broker has not yet got out: the newest of each topic wins."""

import asyncio
from collections.abc import Sequence
from typing import Final

from monitor.publish.letter import Letter

__all__ = ["REFRESH_S", "RETAINED_EXPIRY_S", "Retained"]

# The broker drops what nobody refreshed three times: so the verdicts of a killed node vanish (MQTT 5).
REFRESH_S: Final = 20.0
RETAINED_EXPIRY_S: Final = 60


class Retained:
    """What the broker should retain, one letter a topic, at most `max_topics`.

    A topic beyond the bound is not kept, and counted in `dropped`; `waiting` is set while something is to be sent.
    """

    def __init__(self, max_topics: int) -> None:
        self.dropped = 0
        self.waiting = asyncio.Event()
        self._max_topics = max_topics
        self._wanted: dict[str, Letter] = {}
        self._pending: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._wanted)

    @property
    def pending(self) -> int:
        """Topics whose newest letter the broker has not yet accepted."""
        return len(self._pending)

    def put(self, letter: Letter) -> None:
        """Want this letter retained instead of the last one of its topic."""
        if letter.topic not in self._wanted and len(self._wanted) >= self._max_topics:
            self.dropped += 1
            return
        self._wanted[letter.topic] = letter
        self._pending[letter.topic] = None
        self.waiting.set()

    def empty(self, topic: str) -> None:
        """Want nothing retained under this topic."""
        self.put(Letter(topic, b"", retain=True))

    def again(self) -> None:
        """Send everything again, in the order it was first wanted: the broker may have forgotten."""
        self._pending = dict.fromkeys(self._wanted)
        if self._pending:
            self.waiting.set()

    def oldest(self, limit: int) -> tuple[Letter, ...]:
        """The letters waiting longest."""
        return tuple(self._wanted[topic] for topic in list(self._pending)[:limit])

    def settle(self, letters: Sequence[Letter]) -> None:
        """These were answered: accepted, or refused and not to be sent again before a newer one comes."""
        for letter in letters:
            if self._wanted.get(letter.topic) is letter:
                self._pending.pop(letter.topic, None)
                if not letter.payload:
                    del self._wanted[letter.topic]
        if not self._pending:
            self.waiting.clear()
