# SPDX-License-Identifier: Apache-2.0
"""Which bearer token a test caller shows where."""

from pathlib import Path

import pytest

from monitor.caller import token_for
from monitor.config import PathsSettings, Settings, WhipSettings


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:80"])
def test_the_own_token_for_the_own_machine(host: str) -> None:
    """`lifesign push` to a service beside it needs no token typed."""
    settings = Settings(whip=WhipSettings(tokens=("hush",)))
    assert token_for(settings, f"http://{host}/whip/a/b") == "hush"


def test_the_made_token_for_the_own_machine(tmp_path: Path) -> None:
    """The token that `lifesign run` keeps is found."""
    settings = Settings(paths=PathsSettings(state=tmp_path))
    assert token_for(settings, "http://127.0.0.1/whip/a/b") == (tmp_path / "whip-token").read_text().strip()


@pytest.mark.parametrize("url", ["https://media.example.com/whip", "https://127.0.0.1.example.com/", "nonsense"])
def test_no_token_for_strangers(url: str) -> None:
    """The service's token never leaves the machine unasked."""
    assert token_for(Settings(whip=WhipSettings(tokens=("hush",))), url) is None
