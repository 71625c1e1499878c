# SPDX-License-Identifier: Apache-2.0
"""Temporal layers of the pictures that come in; the highest that is worth decoding out."""

from typing import Final

__all__ = ["ALL_LAYERS", "LayerChoice"]

WINDOW_S: Final = 2.0
EASE: Final = 0.9
"""A layer that brings a little less than the wanted rate is enough: cameras do not keep time."""

LAYERS: Final = 4
ALL_LAYERS: Final = LAYERS - 1
"""The highest layer there can be: none is left out."""


class LayerChoice:
    """Counts pictures per layer over two seconds of media time and names the lowest layer that brings enough.

    Until something was counted, every layer is worth it; a stream without layers is all base.
    """

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._counts = [0] * LAYERS
        self._per_s: tuple[float, ...] = ()

    def see(self, layer: int | None, media_s: float) -> None:
        """Count a picture."""
        if self._began_s is None or not 0 <= media_s - self._began_s < WINDOW_S:
            self._turn(media_s)
        self._counts[min(layer or 0, LAYERS - 1)] += 1

    def top(self, per_s: float) -> int:
        """Highest layer to decode when `per_s` pictures a second are looked at."""
        reached = 0.0
        for layer, rate in enumerate(self._per_s):
            reached += rate
            if reached >= EASE * per_s:
                return layer
        return ALL_LAYERS

    def _turn(self, media_s: float) -> None:
        if self._began_s is not None and media_s > self._began_s:
            self._per_s = tuple(count / (media_s - self._began_s) for count in self._counts)
        self._counts = [0] * LAYERS
        self._began_s = media_s
