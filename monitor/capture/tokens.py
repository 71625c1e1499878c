# SPDX-License-Identifier: Apache-2.0
"""Authorization headers in; whether they carry a token that may publish out."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from monitor.errors import TokenError

__all__ = ["TokenCheck", "kept_token"]

TOKEN_BYTES: Final = 32
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="lifesign"'}
WRONG: Final = {"WWW-Authenticate": 'Bearer realm="lifesign", error="invalid_token"'}


class TokenCheck:
    """Bearer tokens (RFC 6750) that may publish; with none, nobody may."""

    def __init__(self, tokens: Sequence[SecretStr]) -> None:
        self._digests = [_digest(each.get_secret_value()) for each in tokens if each.get_secret_value()]

    def check(self, authorization: str | None) -> None:
        """Raises `TokenError`; the time it takes says nothing about how much of a token was right."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise TokenError("The request has no bearer token.", "Send 'Authorization: Bearer TOKEN'.", dict(CHALLENGE))
        digest = _digest(token.strip())
        matches = [hmac.compare_digest(digest, each) for each in self._digests]
        if not any(matches):
            raise TokenError("The bearer token is not valid here.", "Ask the operator for a token.", dict(WRONG))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def kept_token(state: Path) -> SecretStr:
    """The token kept in `state`/whip-token, made on first use and readable by its owner only. Raises OSError."""
    path = state / "whip-token"
    try:
        return SecretStr(path.read_text().strip())
    except FileNotFoundError:
        state.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    path.touch(mode=0o600)
    path.write_text(token + "\n")
    return SecretStr(token)
