# SPDX-License-Identifier: Apache-2.0
"""HTTP requests about calls in; the answers of the ingest processes that the calls live in out."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiohttp
from fastapi import APIRouter, Request, Response
from yarl import URL

from monitor.capture.wire import WhipRoute, path_below
from monitor.config import ID_PATTERN, Settings
from monitor.errors import CapacityError, RequestError, SessionError, SizeError
from monitor.processes.placement import Placement

__all__ = ["Forward"]

WHIP: Final = "/whip/{path:path}"
ASKED: Final = "/v1/calls/{call}/participants/{participant}"
METHODS: Final = ("DELETE", "GET", "OPTIONS", "PATCH", "POST")
PASSED_ON: Final = frozenset({"accept", "authorization", "content-type", "if-match"})
PASSED_BACK: Final = frozenset(
    {"accept-patch", "accept-post", "allow", "cache-control", "content-type", "etag", "link", "location"}
    | {"retry-after", "www-authenticate"}
)
SMALL_BYTES: Final = 8192
GONE: Final = "It has ended or never was; publish again."


class Forward:
    """Passes WHIP and challenges on to the Unix sockets at `paths`, one for each ingest process.

    Who may do what, and whether a body is right, is the ingest process's to say; whether there is room, is said here.
    """

    def __init__(self, settings: Settings, placement: Placement, paths: Sequence[Path]) -> None:
        self._settings = settings
        self._placement = placement
        timeout = aiohttp.ClientTimeout(total=2 * settings.capture.request_timeout_s)
        self._doors = [
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=timeout) for path in paths
        ]
        self.draining = False
        self.refused_counts: Counter[str] = Counter()
        self.router = self._routes()

    async def close(self) -> None:
        """End all connections."""
        await asyncio.gather(*(door.close() for door in self._doors))

    @property
    def full(self) -> bool:
        """Whether all places for participants are taken."""
        return self._placement.participants >= self._settings.whip.max_participants

    def _routes(self) -> APIRouter:
        router = APIRouter(route_class=WhipRoute, include_in_schema=False)
        router.add_api_route(WHIP, self._whip, methods=list(METHODS))
        for path in ("/invitations", "/challenges", "/challenges/{challenge}", "/challenge"):
            router.add_api_route(ASKED + path, self._asked, methods=["GET", "POST"])
        return router

    async def _whip(self, request: Request) -> Response:
        names = path_below(request, "/whip/").split("/")
        if request.method == "POST" and len(names) == 2 and all(re.match(ID_PATTERN, name) for name in names):
            return await self._enter(request, *names)
        process = self._placement.find(names[0])
        if process is None and len(names) == 3 and request.method != "OPTIONS":
            raise SessionError("There is no such session.", GONE)
        return await self._pass(request, process)

    async def _asked(self, request: Request, call: str) -> Response:
        return await self._pass(request, self._placement.find(call))

    async def _enter(self, request: Request, call: str, participant: str) -> Response:
        try:
            self._check_room((call, participant))
            process = self._placement.enter(call, participant)
            if process is None:
                raise self._refusal("The process for this call is being started again.")
        except RequestError as error:
            self.refused_counts[error.code] += 1
            raise
        let_in = False
        try:
            response = await self._pass(request, process)
            let_in = response.status_code == 201
            return response
        finally:
            self._placement.entered(call, participant, process, let_in=let_in)

    async def _pass(self, request: Request, process: int | None) -> Response:
        process = self._placement.any() if process is None else process
        if process is None:
            raise self._refusal("The processes of this node are being started again.")
        body = await _body(request, max(self._settings.whip.max_offer_bytes, SMALL_BYTES))
        headers = {name: value for name, value in request.headers.items() if name in PASSED_ON}
        target = request.url.replace(scheme="http", netloc="ingest")
        try:
            async with self._doors[process].request(
                request.method, _exactly(str(target)), headers=headers, data=body, allow_redirects=False
            ) as answer:
                return _response(answer, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._refusal("The process that this call lives in does not answer.") from error

    def _check_room(self, name: tuple[str, str]) -> None:
        if self.draining:
            raise self._refusal("This node is shutting down.")
        if self.full and name not in self._placement:
            raise self._refusal("All places for participants are taken.")

    def _refusal(self, what: str) -> CapacityError:
        wait = {"Retry-After": str(self._settings.whip.retry_after_s)}
        return CapacityError(what, "Try again later, or another node.", wait)


def _exactly(url: str) -> URL:
    return URL(url, encoded=True)


async def _body(request: Request, limit_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise SizeError(f"The body is over {limit_bytes} bytes.", "Send the offer alone.", {"Connection": "close"})
    return bytes(body)


def _response(answer: aiohttp.ClientResponse, body: bytes) -> Response:
    response = Response(body, answer.status)
    for name, value in answer.headers.items():
        if name.lower() in PASSED_BACK:
            response.headers.append(name, value)
    return response
