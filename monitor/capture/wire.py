# SPDX-License-Identifier: Apache-2.0
"""HTTP as publishers speak it in; checked ids and bodies, and the headers they expect, out."""

import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from monitor.config import ID_PATTERN, IceServer
from monitor.errors import ContentTypeError, IdError, OfferError, RequestError, SizeError

from .problem import problem

__all__ = ["FRAGMENT_TYPE", "OPTIONS", "SDP_TYPE", "WhipRoute", "checked_ids", "ice_links", "path_below", "read_body"]

SDP_TYPE: Final = "application/sdp"
FRAGMENT_TYPE: Final = "application/trickle-ice-sdpfrag"

CROSS_ORIGIN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Patch, Accept-Post, ETag, Link, Location, Retry-After, WWW-Authenticate",
}
"""Browsers publish from pages of other origins; the bearer token, never a cookie, says who they are."""

OPTIONS: Final = {
    "Accept-Post": SDP_TYPE,
    "Accept-Patch": FRAGMENT_TYPE,
    "Access-Control-Allow-Methods": "DELETE, GET, OPTIONS, PATCH, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class WhipRoute(APIRoute):
    """Answers refusals as problem details and lets pages of every origin read all answers."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except RequestError as error:
                response = problem(error)
            response.headers.update(CROSS_ORIGIN)
            return response

        return answer


def path_below(request: Request, prefix: str) -> str:
    """The decoded path after the prefix, whole: a route's own parameter would lose a line break at its end."""
    path: str = request.scope["path"]
    root: str = request.scope.get("root_path", "")
    return path.removeprefix(root).removeprefix(prefix)


def checked_ids(path: str) -> tuple[str, str]:
    """Call and participant of the `{call}/{participant}` end of a path. Raises `IdError`."""
    ids = path.split("/")
    if len(ids) != 2 or not all(re.match(ID_PATTERN, each) for each in ids):
        raise IdError(
            "The call or participant id is not allowed.",
            "Publish to /whip/CALL/PARTICIPANT; an id is 1 to 64 letters, digits, '_' or '-'.",
        )
    return ids[0], ids[1]


async def read_body(request: Request, content_type: str, limit_bytes: int) -> str:
    """Read a text body, never more of it than the limit.

    Raises `ContentTypeError`, `SizeError`, and `OfferError` for a body that ends early or is not UTF-8.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != content_type:
        raise ContentTypeError(
            f"The body is {given or 'of no type'}.", f"Send 'Content-Type: {content_type}'.", {"Accept-Post": SDP_TYPE}
        )
    body = bytearray()
    too_large = SizeError(f"The body is over {limit_bytes} bytes.", "Send the offer alone.", {"Connection": "close"})
    if _announced(request) > limit_bytes:
        raise too_large
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit_bytes:
                raise too_large
        return body.decode()
    except (ClientDisconnect, UnicodeDecodeError) as error:
        raise OfferError("The body is cut off or not UTF-8.", "Send the offer as WebRTC made it.") from error


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() else 0


def ice_links(servers: Sequence[IceServer]) -> list[str]:
    """Link header values that tell publishers the STUN and TURN servers (RFC 9725, section 4.6)."""
    return [_ice_link(each) for each in servers]


def _ice_link(server: IceServer) -> str:
    link = f'<{server.url}>; rel="ice-server"'
    if server.username is None or server.credential is None:
        return link
    username, credential = _quoted(server.username), _quoted(server.credential.get_secret_value())
    return f'{link}; username={username}; credential={credential}; credential-type="password"'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
