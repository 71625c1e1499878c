# SPDX-License-Identifier: Apache-2.0
"""HTTP requests of publishers in, one feed for each of them out (WHIP, RFC 9725)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

import structlog
from fastapi import APIRouter, Request, Response

from monitor.config import Settings
from monitor.errors import CapacityError, IdError, OverloadError, PreconditionError, RequestError, TokenError

from .adapter import prepare
from .offer import checked_offer
from .passes import Passes
from .roster import Roster
from .route import Route
from .session import Admit, Session
from .tokens import TokenCheck
from .trickle import parsed_fragment
from .wire import FRAGMENT_TYPE, OPTIONS, SDP_TYPE, WhipRoute, checked_ids, ice_links, path_below, read_body

__all__ = ["WhipServer"]

ENDPOINT: Final = "/whip/"
SESSION_PATH: Final = "/whip/{call}/{participant}/{session}"
ENDPOINT_PATH: Final = "/whip/{path:path}"


class UnconditionalError(PreconditionError):
    """If-Match is missing."""

    status = 428


class WhipServer:
    """WHIP endpoint `/whip/{call}/{participant}`: one session is one participant.

    Used as an async context manager: sessions live in its task group, and none survives its exit. `admit` gets
    the feed of each publisher once its first picture came, runs in the session's task, and returns when the
    feed has ended; an exception of it ends that session only. A participant that publishes again replaces
    its older session. `passes` lets those publish who were invited, under their own name alone. `busy` says why nobody
    more can be taken in now, None when somebody can; whoever is here already may always publish anew.
    `opened_count` and `refused_counts` (by error code) only grow.
    """

    def __init__(
        self,
        settings: Settings,
        admit: Admit,
        passes: Passes | None = None,
        busy: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._tokens = TokenCheck(settings.whip.tokens)
        self._passes = passes or Passes()
        self._busy = busy
        self._log = structlog.get_logger()
        self._stack = AsyncExitStack()
        self._group = asyncio.TaskGroup()
        self._roster = Roster(self._group, admit)
        self._pool = ThreadPoolExecutor(settings.capture.decode_threads, "capture")
        self.route = Route(settings.capture)
        self._negotiating: Counter[tuple[str, str]] = Counter()
        self._draining = False
        self.opened_count = 0
        self.refused_counts: Counter[str] = Counter()
        self.router = self._routes()
        prepare()

    async def __aenter__(self) -> Self:
        self._stack.callback(self._pool.shutdown, cancel_futures=True)
        await self._stack.enter_async_context(self._group)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        finally:
            await self._stack.__aexit__(kind, error, trace)

    @property
    def sessions(self) -> int:
        """Sessions that run or are being negotiated."""
        return len(self._roster) + sum(name not in self._roster for name in self._negotiating)

    @property
    def names(self) -> frozenset[tuple[str, str]]:
        """Calls and participants of the sessions that run."""
        return self._roster.names

    @property
    def draining(self) -> bool:
        """Whether new publishers are refused."""
        return self._draining

    def drain(self) -> None:
        """Refuse new publishers with 503; the ones here stay."""
        self._draining = True

    async def aclose(self) -> None:
        """Refuse new publishers and end all sessions; returns when everything is closed."""
        self.drain()
        await self._roster.end_all()

    def _routes(self) -> APIRouter:
        router = APIRouter(route_class=WhipRoute, include_in_schema=False)
        router.add_api_route(SESSION_PATH, self._options, methods=["OPTIONS"])
        router.add_api_route(SESSION_PATH, self._look, methods=["GET"])
        router.add_api_route(SESSION_PATH, self._patch, methods=["PATCH"])
        router.add_api_route(SESSION_PATH, self._delete, methods=["DELETE"])
        router.add_api_route(ENDPOINT_PATH, self._options, methods=["OPTIONS"])
        router.add_api_route(ENDPOINT_PATH, self._post, methods=["POST"])
        return router

    async def _options(self) -> Response:
        return Response(headers=OPTIONS)

    async def _post(self, request: Request) -> Response:
        try:
            return await self._publish(request)
        except RequestError as error:
            self.refused_counts[error.code] += 1
            self._log.info("publisher refused", code=error.code, what=error.what)
            raise

    async def _publish(self, request: Request) -> Response:
        self._authorize(request, path_below(request, ENDPOINT))
        name = checked_ids(path_below(request, ENDPOINT))
        self._check_room(name)
        body = await read_body(request, SDP_TYPE, self._settings.whip.max_offer_bytes)
        offer = checked_offer(body, self.route.path)
        self._check_room(name)
        session = Session(*name, self._settings, self._pool, self.route)
        self._negotiating[name] += 1
        try:
            answer = await session.negotiate(offer)
            await self._roster.start(session)
        finally:
            self._negotiating[name] -= 1
            self._negotiating += Counter()
        self.opened_count += 1
        return self._created(request, session, answer)

    def _created(self, request: Request, session: Session, answer: str) -> Response:
        headers = {
            "Location": f"{request.scope.get('root_path', '')}/whip/{session.call}/{session.participant}/{session.id}"
        }
        headers |= {"ETag": session.tag, "Accept-Patch": FRAGMENT_TYPE}
        response = Response(answer, 201, headers, SDP_TYPE)
        for link in ice_links(self._settings.whip.ice_servers):
            response.headers.append("Link", link)
        return response

    async def _look(self, request: Request, call: str, participant: str, session: str) -> Response:
        self._found(request, call, participant, session)
        return Response(status_code=204)

    async def _patch(self, request: Request, call: str, participant: str, session: str) -> Response:
        found = self._found(request, call, participant, session)
        given = request.headers.get("if-match")
        if given is None:
            raise UnconditionalError("The request has no If-Match.", "Send the ETag of the session in If-Match.")
        if given.strip() not in {"*", found.tag}:
            raise PreconditionError("If-Match is not the session's ETag.", "Send the ETag of the 201 answer.")
        body = await read_body(request, FRAGMENT_TYPE, self._settings.whip.max_offer_bytes)
        await found.trickle(parsed_fragment(body))
        return Response(status_code=204)

    async def _delete(self, request: Request, call: str, participant: str, session: str) -> Response:
        found = self._found(request, call, participant, session)
        self._roster.forget(found)
        await found.leave()
        return Response(status_code=200)

    def _found(self, request: Request, call: str, participant: str, session: str) -> Session:
        self._authorize(request, f"{call}/{participant}")
        return self._roster.find(checked_ids(f"{call}/{participant}"), session)

    def _authorize(self, request: Request, path: str) -> None:
        """Let in who may publish anything, and who was invited under this name. Raises TokenError."""
        given = request.headers.get("authorization")
        try:
            self._tokens.check(given)
        except TokenError:
            if not self._invited(given, path):
                raise

    def _invited(self, given: str | None, path: str) -> bool:
        try:
            return self._passes.allows(given, *checked_ids(path))
        except IdError:
            return False

    def _check_room(self, name: tuple[str, str]) -> None:
        known = name in self._roster
        wait = {"Retry-After": str(self._settings.whip.retry_after_s)}
        full = self.sessions >= self._settings.whip.max_participants and not known
        if full or self._draining:
            what = "This node is shutting down." if self._draining else "All places for participants are taken."
            raise CapacityError(what, "Try again later, or another node.", wait)
        if not known and (why := self._busy()) is not None:
            raise OverloadError(why, "Try again later, or another node.", wait)
