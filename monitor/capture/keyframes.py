# SPDX-License-Identifier: Apache-2.0
"""Pictures that cannot be decoded in; the moments to ask the sender for a keyframe out."""

from typing import Final

__all__ = ["EVERY_S", "KeyframeWatch"]

EVERY_S: Final = 0.300


class KeyframeWatch:
    """Asks at once when a picture had to be refused, else after a while of need, and never more often than `EVERY_S`.

    At the start of a stream the first keyframe is on its way already: asking before a picture was refused would cost
    the sender a second one.
    """

    def __init__(self) -> None:
        self._needed_s: float | None = None
        self._asked_s: float | None = None
        self._refused = False

    def refuse(self) -> None:
        """Take note of a picture that came and cannot be decoded."""
        self._refused = True

    def due(self, *, needed: bool, now_s: float) -> bool:
        """Whether to ask now (monotonic seconds); counts as asked."""
        if not needed:
            self._needed_s, self._refused = None, False
            return False
        self._needed_s = now_s if self._needed_s is None else self._needed_s
        late = now_s >= self._needed_s + EVERY_S
        lately = self._asked_s is not None and now_s < self._asked_s + EVERY_S
        if lately or not (late or self._refused):
            return False
        self._asked_s = now_s
        return True
