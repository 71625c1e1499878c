# SPDX-License-Identifier: Apache-2.0
"""A media server's WHEP address in, the feed of the participant it plays out (WHEP, IETF draft)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Final

import aiohttp
import structlog
from yarl import URL

from monitor.config import PullSettings, Settings
from monitor.errors import PullError

from .backoff import Backoff
from .intake import Intake
from .layer_wish import keep_asking
from .peer import Peer
from .route import Route
from .session import Admit
from .signalling import Agreed, SignallingError, choose_layers, leave, post_offer, session_http
from .spread import PLACES
from .tap import Tap

__all__ = ["WhepClient"]

WATCH_EVERY_S: Final = 0.2


class WhepClient:
    """Pulls one participant for as long as `run` runs, connecting anew whenever media end.

    A short gap is a stall of the same feed; after `end_after_s` of silence the feed ends, and media that come
    later make a new one. `admit` gets each feed when its first picture came. `error` is why there is no
    connection now, None while media flow; `attempts` counts connections tried. `busy` says why nobody more can be taken
    in now, None when somebody can; a participant once taken in keeps their place while they are connected anew.
    """

    def __init__(
        self, settings: Settings, pull: PullSettings, admit: Admit, busy: Callable[[], str | None] = lambda: None
    ) -> None:
        self._settings = settings
        self._pull = pull
        self._admit = admit
        self._busy = busy
        self._log = structlog.get_logger().bind(call=pull.call, participant=pull.participant)
        self._backoff = Backoff(settings.capture.backoff_initial_s, settings.capture.backoff_max_s)
        self._tap: Tap | None = None
        self._handing: asyncio.Task[None] | None = None
        self.route = Route(settings.capture)
        self.error: PullError | None = None
        self.attempts = 0
        self.refused_count = 0

    @property
    def taken_in(self) -> bool:
        """Whether the participant has a place: media flow, or are being asked for."""
        return self._handing is not None and not self._handing.done()

    async def run(self) -> None:
        """Pull until cancelled."""
        token = self._pull.token.get_secret_value() if self._pull.token else None
        with ThreadPoolExecutor(self._settings.capture.decode_threads, "capture") as pool:
            async with (
                session_http(token, self._settings.capture.request_timeout_s) as http,
                asyncio.TaskGroup() as group,
            ):
                while True:
                    wish_s = await self._once(http, group, pool)
                    await asyncio.sleep(self._backoff.wait_s(wish_s))

    async def _once(self, http: aiohttp.ClientSession, group: asyncio.TaskGroup, pool: Executor) -> float:
        if not self.taken_in and (why := self._busy()) is not None:
            self._refuse(why)
            return self._settings.whip.retry_after_s
        self.attempts += 1
        tap = self._feed(group, pool)
        intake = Intake(tap, self._settings.capture, pool, self.route)
        peer = Peer(self._settings.whip.ice_servers, intake.attach)
        wish_s = 0.0
        try:
            await self._connection(http, peer, intake)
        except PullError as error:
            self.error = error
            wish_s = getattr(error.__cause__, "retry_after_s", 0.0)
            self._log.warning("pull broke off", code=error.code, what=error.what, advice=error.advice)
        except Exception:  # a pull is tried again whatever a media server made fail
            self.error = PullError("The connection broke off.", "See the log; it is tried again.")
            self._log.exception("pull broke off")
        finally:
            await peer.close()
        self._backoff.flowed(intake.flowed_s)
        return wish_s

    def _refuse(self, why: str) -> None:
        self.refused_count += 1
        self.error = PullError(why, "It is tried again; move participants to another node.")
        self._log.warning("pull put off", code=self.error.code, what=why, advice=self.error.advice)

    def _feed(self, group: asyncio.TaskGroup, pool: Executor) -> Tap:
        if self._tap is None or self._tap.closed or self._handing is None or self._handing.done():
            self._tap = Tap(self._pull.call, self._pull.participant, self._settings.capture, pool, place=PLACES.place())
            name = f"pull {self._pull.call}/{self._pull.participant}"
            self._handing = group.create_task(self._hand_on(self._tap), name=name)
        return self._tap

    async def _hand_on(self, tap: Tap) -> None:
        await tap.begun.wait()
        try:
            await self._admit(tap)
        except Exception:  # a fault in judging ends this feed; the pull goes on
            self._log.exception("feed broke off")
        finally:
            await tap.close()

    async def _connection(self, http: aiohttp.ClientSession, peer: Peer, intake: Intake) -> None:
        agreed = await self._agree(http, peer)
        try:
            await self._accept(peer, agreed)
            if not intake.complete:
                raise PullError("The media server sends no video.", "Check what is published there.")
            await self._receive(http, agreed, peer, intake)
        finally:
            await self._leave(http, agreed)

    async def _agree(self, http: aiohttp.ClientSession, peer: Peer) -> Agreed:
        try:
            return await post_offer(http, self._pull.url, await peer.offer(self.route.path))
        except SignallingError as error:
            raise PullError(error.what, error.advice) from error

    async def _accept(self, peer: Peer, agreed: Agreed) -> None:
        try:
            await peer.accept(agreed.answer)
        except Exception as error:  # the parser raises whatever the text leads it to
            raise PullError("The media server's answer is not SDP that fits.", "Check that it speaks WHEP.") from error

    async def _receive(self, http: aiohttp.ClientSession, agreed: Agreed, peer: Peer, intake: Intake) -> None:
        assert self._handing is not None
        async with asyncio.TaskGroup() as group:
            drain = group.create_task(intake.run(), name="drain")
            gone = group.create_task(peer.gone.wait(), name="gone")
            watch = group.create_task(self._silence(intake), name="watch")
            layers = group.create_task(self._choose_layers(http, agreed.layers, intake), name="layers")
            await asyncio.wait({drain, gone, watch, self._handing}, return_when=asyncio.FIRST_COMPLETED)
            for task in (drain, gone, watch, layers):
                task.cancel()
        what = "stopped sending" if intake.silent_s > self._settings.capture.stall_after_s else "ended the connection"
        raise PullError(f"The media server {what}.", "It is tried again.")

    async def _choose_layers(self, http: aiohttp.ClientSession, url: URL | None, intake: Intake) -> None:
        if url is not None and self._settings.capture.choose_layers:
            await keep_asking(lambda wish: choose_layers(http, url, wish), lambda: intake.decoded)

    async def _silence(self, intake: Intake) -> None:
        """Return when no first picture came in time, or none for half the time after which a feed ends."""
        capture = self._settings.capture
        while intake.silent_s < (capture.end_after_s / 2 if intake.flowed_s else capture.request_timeout_s):
            if intake.flowed_s:
                self.error = None
            await asyncio.sleep(WATCH_EVERY_S)

    async def _leave(self, http: aiohttp.ClientSession, agreed: Agreed) -> None:
        try:
            await leave(http, agreed)
        except SignallingError as error:
            self._log.debug("session was not ended", what=error.what)
