# SPDX-License-Identifier: Apache-2.0
"""Media times of all frames in, the choice of which to look at out."""

from typing import Final

__all__ = ["Sampler"]

EARLY_SHARE: Final = 0.1
"""Share of a period by which a frame may come early: timestamps are rounded, cameras jitter."""


class Sampler:
    """Picks frames at `per_s` frames per media second, whatever the frame rate of the stream.

    The grid keeps its phase, so that 5 frames/s of a 24 frames/s stream are 5 on average; a stream slower
    than the grid has every frame picked. A media time that repeats is never picked twice; one that jumps
    ahead or goes back starts a new grid there.
    """

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._due_s = 0.0
        self._last_s: float | None = None

    @property
    def per_s(self) -> float:
        """Frames picked per media second."""
        return self._per_s

    @per_s.setter
    def per_s(self, per_s: float) -> None:
        if per_s <= 0:
            raise ValueError("a sampling rate is above 0")
        self._due_s += 1 / per_s - 1 / self._per_s
        self._per_s = per_s

    def delay(self, by_s: float) -> None:
        """Move the grid on, once."""
        self._due_s += by_s

    def pick(self, media_s: float) -> bool:
        """Whether to look at the frame of this media time."""
        period_s = 1 / self._per_s
        last_s, self._last_s = self._last_s, media_s
        if last_s is None or media_s < last_s:
            self._due_s = media_s + period_s
            return True
        if media_s == last_s or media_s < self._due_s - EARLY_SHARE * period_s:
            return False
        on_grid_s = self._due_s + period_s
        self._due_s = on_grid_s if on_grid_s > media_s else media_s + period_s
        return True
