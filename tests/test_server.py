# SPDX-License-Identifier: Apache-2.0
"""An application is served on the caller's loop, over HTTP or HTTPS, until the block ends."""

import asyncio
import signal
import ssl
from pathlib import Path

import aiohttp
import pytest
from fastapi import FastAPI

from monitor.config import HttpSettings
from monitor.errors import StartError
from monitor.server import listen, serve
from tests.fakes.brokers import Authority


def hello() -> FastAPI:
    """An application with one route."""
    app = FastAPI()

    @app.get("/")
    async def root() -> str:
        return "hello"

    return app


async def test_it_answers_inside_the_block_and_not_after() -> None:
    """The address given works at once, and the port is free afterwards."""
    settings = HttpSettings(port=0)
    async with (
        serve(hello(), settings, listen(settings)) as url,
        aiohttp.ClientSession() as http,
        http.get(url) as answer,
    ):
        assert await answer.json() == "hello"
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(url)


async def test_https_is_served_with_the_configured_certificate(tmp_path: Path) -> None:
    """Browsers publish cameras over HTTPS only; the certificate's chain is the one given."""
    authority = Authority(tmp_path)
    certificate, key = authority.server
    settings = HttpSettings(port=0, tls_certificate=certificate, tls_key=key)
    trusted = ssl.create_default_context(cafile=authority.ca)
    async with serve(hello(), settings, listen(settings)) as url, aiohttp.ClientSession() as http:
        assert url.startswith("https://")
        async with http.get(url, ssl=trusted) as answer:
            assert answer.status == 200


async def test_signals_stay_with_the_process() -> None:
    """The server takes over no signal handler: the process decides how it drains."""
    before = signal.getsignal(signal.SIGTERM)
    settings = HttpSettings(port=0)
    async with serve(hello(), settings, listen(settings)):
        assert signal.getsignal(signal.SIGTERM) is before
        await asyncio.sleep(0)


def test_a_taken_port_is_an_error_that_names_it() -> None:
    """The second listener on a port learns which one and what to set."""
    first = listen(HttpSettings(port=0))
    first.listen()
    port = first.getsockname()[1]
    with pytest.raises(StartError, match=str(port)):
        listen(HttpSettings(port=port))
    first.close()


def test_an_address_of_another_machine_is_an_error() -> None:
    """Listening where this machine is not is refused with advice."""
    with pytest.raises(StartError, match=r"http\.port"):
        listen(HttpSettings(host="192.0.2.1", port=0))
