# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens and where the first one comes from."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from monitor.capture.tokens import TokenCheck, kept_token
from monitor.errors import TokenError


def test_any_of_the_tokens_will_do() -> None:
    """Each configured token opens; the scheme's case and spaces around do not matter."""
    check = TokenCheck([SecretStr("one"), SecretStr("zwölf")])
    for given in ("Bearer one", "bearer zwölf", "BEARER  one "):
        check.check(given)


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", "Bearer on", "Bearer onee", "Basic one", "one", "Bearer one two"]
)
def test_anything_else_is_refused(given: str | None) -> None:
    """The refusal names the scheme and never the token."""
    with pytest.raises(TokenError) as caught:
        TokenCheck([SecretStr("one")]).check(given)
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer ")
    assert "one" not in caught.value.what.replace("one of", "")


def test_an_empty_token_opens_nothing() -> None:
    """A token left empty in a file is none."""
    with pytest.raises(TokenError):
        TokenCheck([SecretStr("")]).check("Bearer ")


def test_first_token_is_made_and_kept(tmp_path: Path) -> None:
    """It is long, the same at every start, and only its owner can read it."""
    state = tmp_path / "new" / "state"
    token = kept_token(state).get_secret_value()
    assert len(token) >= 40
    assert kept_token(state).get_secret_value() == token
    assert stat.S_IMODE((state / "whip-token").stat().st_mode) == 0o600
    assert kept_token(tmp_path / "other").get_secret_value() != token
