# SPDX-License-Identifier: Apache-2.0
"""An SDP offer in, the answer of a WHIP or WHEP endpoint out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

__all__ = ["Agreed", "SignallingError", "choose_layers", "leave", "post_offer", "session_http"]

MAX_ANSWER_BYTES: Final = 131_072
SDP: Final = "application/sdp"
LAYERS_RELATION: Final = "urn:ietf:params:whep:ext:core:layer"
ADVICE: Final = {
    401: "Check the bearer token.",
    403: "Check the bearer token and what it may do.",
    404: "Check the address; the stream may not be there yet.",
    406: "The endpoint takes none of the codecs offered.",
    415: "The address does not look like a WHIP or WHEP endpoint.",
}


class SignallingError(Exception):
    """An endpoint that cannot be reached (`status` None) or refuses; `retry_after_s` is its own wish."""

    def __init__(self, what: str, advice: str, status: int | None = None, retry_after_s: float = 0.0) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Agreed:
    """The answer, where the session can be ended, and where its layers can be chosen.

    A URL is None when the endpoint did not say, or, of `layers`, when it is another origin's: the token is not theirs.
    """

    answer: str
    location: URL | None
    layers: URL | None = None


def session_http(token: str | None, timeout_s: float) -> aiohttp.ClientSession:
    """HTTP client that carries the token and gives up after `timeout_s`."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=timeout_s))


async def post_offer(http: aiohttp.ClientSession, url: str, offer: str) -> Agreed:
    """Post an offer. Raises `SignallingError`."""
    try:
        async with http.post(url, data=offer.encode(), headers={"Content-Type": SDP, "Accept": SDP}) as response:
            if response.status != 201:
                raise await _refusal(response)
            answer = await _text(response)
            location = response.headers.get("Location")
            return Agreed(answer, response.url.join(URL(location)) if location else None, _layers(response))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise SignallingError(
            f"The endpoint cannot be reached: {reason}.", "Check its address and that it runs."
        ) from error


async def leave(http: aiohttp.ClientSession, agreed: Agreed) -> None:
    """End the session at the endpoint. Raises `SignallingError`."""
    if agreed.location is None:
        return
    try:
        async with http.delete(agreed.location):
            return
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise SignallingError(f"The session could not be ended: {error}.", "It will time out there.") from error


async def choose_layers(http: aiohttp.ClientSession, url: URL, wish: Mapping[str, str | int]) -> None:
    """Ask for other layers of a stream that is played (WHEP, Video Layer Selection). Raises `SignallingError`."""
    try:
        async with http.post(url, json=wish, allow_redirects=False) as response:
            if not response.ok:
                what = f"The layers could not be chosen: {response.status} {response.reason}."
                raise SignallingError(what, "The media server chooses.", response.status)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise SignallingError(f"The layers could not be chosen: {reason}.", "The media server chooses.") from error


def _layers(response: aiohttp.ClientResponse) -> URL | None:
    try:
        link = response.links.get(LAYERS_RELATION)
    except ValueError:
        return None
    url = link.get("url") if link is not None else None
    return url if isinstance(url, URL) and url.is_absolute() and url.origin() == response.url.origin() else None


async def _text(response: aiohttp.ClientResponse) -> str:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise SignallingError(
                "The answer of the endpoint is too long.", "Check that it is a WHIP or WHEP endpoint."
            )
    return body.decode()


async def _refusal(response: aiohttp.ClientResponse) -> SignallingError:
    status, detail, advice = response.status, "", ADVICE.get(response.status, "See the endpoint's log.")
    if response.content_type == "application/problem+json":
        told = await response.json(content_type=None)
        detail, advice = f": {told.get('detail', '')}", str(told.get("advice") or advice)
    wait = response.headers.get("Retry-After", "")
    retry_after_s = float(wait) if wait.isascii() and wait.isdecimal() else 0.0
    return SignallingError(f"The endpoint answered {status} {response.reason}{detail}", advice, status, retry_after_s)
