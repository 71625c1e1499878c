# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that does in a page what a test says."""

import asyncio
import base64
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.fakes.brokers import until
from tests.fakes.browser import launched

__all__ = ["Page", "page"]


class Page:
    """One page, driven over the Chrome DevTools Protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def run(self, script: str) -> Any:
        """Evaluate JavaScript, wait for its promise, and give its value; fails the test when it throws."""
        answer = await self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, script: str, timeout_s: float = 10.0) -> None:
        """Wait until an expression is true."""
        async with asyncio.timeout(timeout_s):
            while not await self.run(script):  # noqa: ASYNC110 - a page has no event for it
                await asyncio.sleep(0.05)

    async def screenshot(self) -> bytes:
        """What is to be seen, as a PNG file."""
        answer = await self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    async def _ask(self, method: str, **given: Any) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": given})
        async with asyncio.timeout(20.0):
            while (answer := await self._socket.receive_json()).get("id") != number:
                pass
        assert "error" not in answer, answer
        return answer["result"]


@contextlib.asynccontextmanager
async def page(url: str, folder: Path) -> AsyncIterator[Page]:
    """Open a page until the block ends; skips the test where Chromium is missing."""
    async with (
        launched(folder, "--remote-debugging-port=0", "--window-size=1280,1400", url),
        aiohttp.ClientSession() as http,
        http.ws_connect(await _address(http, folder)) as socket,
    ):
        yield Page(socket)


async def _address(http: aiohttp.ClientSession, folder: Path) -> str:
    async with asyncio.timeout(20.0):
        await until(lambda: bool(_port(folder)), 20.0)
        while True:
            async with http.get(f"http://127.0.0.1:{_port(folder)}/json") as answer:
                for target in await answer.json():
                    if target["type"] == "page":
                        return str(target["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)


def _port(folder: Path) -> str:
    """The port that Chromium says it listens on; empty before it does."""
    told = folder / "DevToolsActivePort"
    return told.read_text().partition("\n")[0] if told.is_file() else ""
