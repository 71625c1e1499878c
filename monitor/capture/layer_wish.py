# SPDX-License-Identifier: Apache-2.0
"""The layers of a pulled stream that are decoded in; wishes to its media server for no more than these out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from .layers import ALL_LAYERS
from .signalling import SignallingError

__all__ = ["MOST_ROWS", "LayerWish", "keep_asking"]

MOST_ROWS: Final = 720
"""Higher pictures cost their decoding and show faces no better than the network looks at them."""

EVERY_S: Final = 1.0

Wish = dict[str, str | int]


class LayerWish:
    """What to ask for (WHEP draft, Video Layer Selection), and when to ask again.

    A highest layer that turned out to bring too few pictures is not asked for again at that rate or a higher one: a
    codec that does not name its layers would otherwise be asked up and down for ever.
    """

    def __init__(self) -> None:
        self._asked: int | None = None
        self._per_s = 0.0
        self._too_low: dict[int, float] = {}

    def next(self, top: int, per_s: float) -> Wish | None:
        """The wish to send now that `per_s` pictures a second are looked at and layers up to `top` decoded."""
        if self._asked is not None and top > self._asked and per_s <= self._per_s:
            self._too_low[self._asked] = per_s
        wanted = max([top, *(layer + 1 for layer, least_per_s in self._too_low.items() if per_s >= least_per_s)])
        if wanted == self._asked:
            return None
        self._asked, self._per_s = wanted, per_s
        wish: Wish = {"mediaId": "0", "maxHeight": MOST_ROWS}
        if wanted < ALL_LAYERS:
            wish["maxTemporalLayerId"] = wanted
        return wish


async def keep_asking(ask: Callable[[Wish], Awaitable[None]], decoded: Callable[[], tuple[int, float]]) -> None:
    """Send each wish as it arises, until cancelled or until the server does not take one.

    `decoded` gives the highest layer that is decoded and the pictures looked at per second.
    """
    wish = LayerWish()
    try:
        while True:
            await asyncio.sleep(EVERY_S)
            asked = wish.next(*decoded())
            if asked is not None:
                await ask(asked)
    except SignallingError as error:
        structlog.get_logger().info("media server does not choose layers", what=error.what)
