# SPDX-License-Identifier: Apache-2.0
"""Explanations in, those of the newest alerts out; in memory."""

from typing import Final

from monitor.publish.explanations.explanation import Explanation

__all__ = ["MOST", "Shelf"]

MOST: Final = 500
"""As many alerts as the API remembers, about 10 kB each."""


class Shelf:
    """The newest explanation of each alert; the alert raised longest ago goes first."""

    def __init__(self) -> None:
        self._held: dict[str, Explanation] = {}

    def __len__(self) -> int:
        return len(self._held)

    def put(self, explanation: Explanation) -> Explanation:
        """Take in an explanation, and give what is held of its alert now: one without looks leaves those before."""
        before = self._held.get(explanation.alert.alert)
        if before is not None and not explanation.looks:
            explanation = explanation.model_copy(update={"looks": before.looks})
        self._held[explanation.alert.alert] = explanation
        if len(self._held) > MOST:
            del self._held[next(iter(self._held))]
        return explanation

    def get(self, alert: str) -> Explanation | None:
        """What is known of an alert."""
        return self._held.get(alert)
