# SPDX-License-Identifier: Apache-2.0
"""The broker's refusals in; which topics wait before their next try, and why, out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from monitor.errors import RefusedError
from monitor.publish.backoff import Backoff

__all__ = ["Refusals"]

# Topics remembered at once; an access list that refuses more refuses them all for the same reason.
_MAX_TOPICS: Final = 256
_FIRST_S: Final = 1.0


@dataclass(slots=True)
class _Refused:
    reason: str
    backoff: Backoff
    until_s: float


class Refusals:
    """Refused topics, each with a back-off of its own, so that one call's refused alerts hold up no other call."""

    def __init__(self, max_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._max_s = max_s
        self._clock = clock
        self._topics: dict[str, _Refused] = {}

    @property
    def reason(self) -> str | None:
        """Why something is refused now; None: nothing is."""
        return next((refused.reason for refused in self._topics.values()), None)

    @property
    def held(self) -> tuple[str, ...]:
        """Topics that wait before their next try."""
        now_s = self._clock()
        return tuple(topic for topic, refused in self._topics.items() if refused.until_s > now_s)

    @property
    def wait_s(self) -> float | None:
        """Time until the first held topic may be tried again; None: none is held."""
        now_s = self._clock()
        waits = [refused.until_s - now_s for refused in self._topics.values() if refused.until_s > now_s]
        return min(waits, default=None)

    def note(self, topic: str, error: RefusedError) -> None:
        """The broker refused this topic."""
        self.count += 1
        refused = self._topics.pop(topic, None) or _Refused("", Backoff(_FIRST_S, self._max_s), 0.0)
        refused.reason = str(error)
        refused.until_s = self._clock() + refused.backoff.next_s()
        self._topics[topic] = refused
        while len(self._topics) > _MAX_TOPICS:
            del self._topics[next(iter(self._topics))]

    def forget(self, topic: str) -> None:
        """The broker accepted this topic, or nothing more is to be said under it."""
        self._topics.pop(topic, None)
