# SPDX-License-Identifier: Apache-2.0
"""A call and a participant in, a bearer token that is good for these two alone and for a while out."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

__all__ = ["LIFETIME_S", "Passes"]

LIFETIME_S: Final = 3600.0
"""An invitation is opened within the hour; a session that has begun goes on after it."""

KEY_BYTES: Final = 32


class Passes:
    """Tokens signed with a key of this service (HMAC-SHA256): nothing is kept, and a restart voids them all.

    `now` is the wall clock in seconds; `key` is made here unless another process made it.
    """

    def __init__(self, now: Callable[[], float] = time.time, key: bytes | None = None) -> None:
        self._now = now
        self._key = key or secrets.token_bytes(KEY_BYTES)

    def issue(self, call: str, participant: str) -> str:
        """A token for one participant of one call."""
        until = str(int(self._now() + LIFETIME_S))
        return f"{until}.{self._signed(call, participant, until)}"

    def allows(self, authorization: str | None, call: str, participant: str) -> bool:
        """Whether an Authorization header carries a token for these two that has not expired."""
        scheme, _, token = (authorization or "").partition(" ")
        until, _, signature = token.strip().partition(".")
        if scheme.lower() != "bearer" or not (until.isascii() and until.isdecimal()):
            return False
        right = hmac.compare_digest(signature.encode(), self._signed(call, participant, until).encode())
        return right and int(until[:20]) >= self._now()

    def _signed(self, call: str, participant: str, until: str) -> str:
        # Ids hold no slash, so no two triples are signed alike.
        digest = hmac.new(self._key, f"{call}/{participant}/{until}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
