# SPDX-License-Identifier: Apache-2.0
"""Alerts with the worst looks of their faces in; explanations and pictures for those who ask out."""

import asyncio
from collections.abc import Sequence

from monitor.errors import ExplanationError, PicturesKeyError, PicturesOffError
from monitor.publish.events import AlertData
from monitor.publish.explanations.explanation import Explanation, Kept, explain
from monitor.publish.explanations.overlay import overlay, read_png
from monitor.publish.explanations.pictures import Pictures
from monitor.publish.explanations.shelf import Shelf
from monitor.values import AlertChange, WorstLook

__all__ = ["ExplanationDesk"]


class ExplanationDesk:
    """Explains the alerts of this process, and those of its forerunners whose pictures are still kept."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures
        self._shelf = Shelf()

    def take(self, alert: AlertData, looks: Sequence[WorstLook]) -> None:
        """Remember what an alert's change rests on; what is seen when it is cleared is not what raised it."""
        looks = () if alert.change is AlertChange.CLEARED else looks
        self.pictures.put(self._shelf.put(explain(alert, looks)), looks)

    async def explanation(self, alert: str) -> Explanation:
        """What an alert rests on; raises ExplanationError when nothing is known of it."""
        kept = await self._kept(alert)
        found = self._shelf.get(alert) or (kept.explanation if kept else None)
        if found is None:
            raise ExplanationError("Nothing is known of this alert.", "The newest alerts can be explained, not all.")
        return found.model_copy(update={"pictures": len(kept.crops) if kept else 0})

    async def picture(self, alert: str, number: int) -> bytes:
        """The alert's picture with this number, counted from 1, and its map laid over it, as a PNG file.

        Raises PicturesOffError, PicturesKeyError, or ExplanationError when there is none, or none any more.
        """
        if not self.pictures.on:
            raise PicturesOffError("Pictures are not kept here.", "The operator may set evidence.pictures.")
        kept = await self.pictures.read(alert)
        if kept is None or not 1 <= number <= len(kept.crops):
            raise ExplanationError("There is no such picture.", "It has expired, or there never was one.")
        look = kept.explanation.looks[number - 1]
        return await asyncio.to_thread(lambda: overlay(read_png(kept.crops[number - 1]), look.boundary))

    async def _kept(self, alert: str) -> Kept | None:
        try:
            return await self.pictures.read(alert)
        except PicturesKeyError:
            return None
