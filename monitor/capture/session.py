# SPDX-License-Identifier: Apache-2.0
"""One WHIP session: an offer in, a feed for as long as its publisher stays out."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Final

import structlog

from monitor.config import Settings
from monitor.errors import OfferError, RequestError

from .feed import Feed
from .intake import Intake
from .offer import MAX_CANDIDATES, SEND_HINT
from .peer import Peer
from .route import Route
from .spread import PLACES
from .tap import Tap
from .trickle import Fragment

__all__ = ["Admit", "Session"]

Admit = Callable[[Feed], Awaitable[None]]

SECRET_BYTES: Final = 24
TAG_BYTES: Final = 9


class RestartError(OfferError):
    """A change of an established session that is not supported."""

    status = 422


class Session:
    """One publisher's connection; `id` is unguessable and never logged, `tag` names its ICE generation."""

    def __init__(self, call: str, participant: str, settings: Settings, pool: Executor, route: Route) -> None:
        self.call = call
        self.participant = participant
        self.id = secrets.token_urlsafe(SECRET_BYTES)
        self.tag = f'"{secrets.token_urlsafe(TAG_BYTES)}"'
        self._settings = settings
        self._log = structlog.get_logger().bind(call=call, participant=participant)
        self._tap = Tap(call, participant, settings.capture, pool, place=PLACES.place())
        self._intake = Intake(self._tap, settings.capture, pool, route)
        self._peer = Peer(settings.whip.ice_servers, self._intake.attach)
        self._username: str | None = None
        self._trickled = 0

    @property
    def name(self) -> tuple[str, str]:
        """Call and participant."""
        return self.call, self.participant

    async def negotiate(self, offer: str) -> str:
        """Answer a checked offer; on any failure nothing is left open. Raises `RequestError`."""
        try:
            async with asyncio.timeout(self._settings.capture.request_timeout_s):
                answer = await self._peer.answer(offer)
        except BaseException as error:
            await self._peer.close()
            if isinstance(error, RequestError) or not isinstance(error, Exception):
                raise
            self._log.info("offer could not be answered", error=repr(error))
            raise OfferError("The offer cannot be answered.", SEND_HINT) from error
        self._username = next(line[12:] for line in offer.splitlines() if line.startswith("a=ice-ufrag:"))
        return answer

    async def trickle(self, fragment: Fragment) -> None:
        """Take candidates found later. Raises `RestartError` when they belong to a new ICE generation."""
        if fragment.username not in {None, self._username}:
            raise RestartError("ICE restarts are not supported.", "End this session and publish again.")
        self._trickled += len(fragment.candidates)
        if self._trickled > MAX_CANDIDATES:
            raise OfferError(f"The session has more than {MAX_CANDIDATES} candidates.", "Publish again.")
        for candidate in fragment.candidates:
            await self._peer.add_candidate(candidate)
        if fragment.complete:
            await self._peer.add_candidate(None)

    async def run(self, admit: Admit) -> None:
        """Receive until the publisher leaves, falls silent or is sent away; `admit` gets the feed meanwhile."""
        try:
            async with asyncio.TaskGroup() as group:
                receiving = group.create_task(self._receive(), name="receive")
                await self._hand_on(admit)
                receiving.cancel()
        finally:
            await self._tap.close()
            await self._peer.close()
            self._log.info("session ended", strays=self._peer.strays)

    async def leave(self) -> None:
        """End the session; `run` returns when everything is closed."""
        await self._tap.close()

    async def _receive(self) -> None:
        async with asyncio.TaskGroup() as group:
            drain = group.create_task(self._intake.run(), name="drain")
            gone = group.create_task(self._peer.gone.wait(), name="gone")
            await asyncio.wait({drain, gone}, return_when=asyncio.FIRST_COMPLETED)
            await self._tap.close()
            drain.cancel()
            gone.cancel()

    async def _hand_on(self, admit: Admit) -> None:
        try:
            async with asyncio.timeout(self._settings.whip.connect_timeout_s):
                await self._tap.begun.wait()
        except TimeoutError:
            self._log.info("no picture came", waited_s=self._settings.whip.connect_timeout_s)
            return
        if self._tap.counts.received:
            self._log.info("participant is publishing")
            await admit(self._tap)
