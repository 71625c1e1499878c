# SPDX-License-Identifier: Apache-2.0
"""The process starts, says where it serves, drains on a signal and leaves with the right exit code."""

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.app import with_token
from monitor.config import PathsSettings, Settings, WhipSettings
from monitor.errors import StartError
from monitor.push import push
from tests.fakes.media import sample

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
TOKEN = "a-token-for-tests"


@asynccontextmanager
async def started(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`lifesign run` on free ports in a process of its own; killed if it outlives the block."""
    sample("face_landmarker")
    environment = os.environ | {"LIFESIGN_WHIP__TOKENS": json.dumps([TOKEN]), "LIFESIGN_PATHS__STATE": str(folder)}
    changes = ["http.port=0", "mqtt.port=0", "log.format=json", *arguments]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "run", "--json"),
        *(word for change in changes for word in ("--set", change)),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def said(process: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
    """Read the process's log up to an event, and give that line."""
    assert process.stderr is not None
    async for line in process.stderr:
        if line.startswith(b"{") and (found := json.loads(line))["event"] == event:
            return found
    raise AssertionError(f"the process ended without saying {event}")


async def test_a_signal_in_mid_call_drains_and_exits_0(tmp_path: Path) -> None:
    """SIGTERM refuses new callers, closes what is known of the ones here, says offline, and ends with 0."""
    async with started(tmp_path) as process:
        url = (await said(process, "serving"))["url"]
        caller = asyncio.create_task(push(sample("pexels_woman"), f"{url}/whip/call/ann", TOKEN, loop=True))
        await said(process, "participant is publishing")
        process.send_signal(signal.SIGTERM)
        out, _ = await process.communicate()
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
    events = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0
    statuses = [event["data"]["status"] for event in events if event["type"] == "lifesign.node.v1"]
    assert statuses == ["online", "draining", "offline"]
    ended = [event["data"]["status"] for event in events if event["type"] == "lifesign.call.v1"]
    assert ended[-1] == "ended"


async def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    """While it drains, another signal ends the process without waiting."""
    async with started(tmp_path) as process:
        url = (await said(process, "serving"))["url"]
        caller = asyncio.create_task(push(sample("pexels_woman"), f"{url}/whip/call/ann", TOKEN, loop=True))
        await said(process, "participant is publishing")
        process.send_signal(signal.SIGINT)
        await said(process, "draining")
        process.send_signal(signal.SIGINT)
        assert await process.wait() in {0, 130}
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)


async def test_a_taken_port_is_said_with_advice_and_exits_3(tmp_path: Path) -> None:
    """The error names the port and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with started(tmp_path, f"http.port={port}") as process:
            _, err = await process.communicate()
    assert process.returncode == 3
    assert f"[start] Cannot listen on 127.0.0.1:{port}" in err.decode()
    assert "http.port" in err.decode()


async def test_readiness_names_the_broker_that_is_away(tmp_path: Path) -> None:
    """With an unreachable broker the process lives, is not ready, says why, and still judges."""
    async with started(tmp_path, "mqtt.broker=external", "mqtt.port=9") as process:
        url = (await said(process, "serving"))["url"]
        async with aiohttp.ClientSession(url) as http:
            async with http.get("/healthz") as answer:
                assert answer.status == 200
            async with http.get("/readyz") as answer:
                checks = (await answer.json())["checks"]
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert answer.status == 503
    assert not checks["broker"]["ok"]
    assert "9" in checks["broker"]["reason"]
    assert checks["model"]["ok"]
    assert process.returncode == 0


def test_a_made_token_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    """Without a configured token one is made once, kept with mode 0600 and found again."""
    settings = Settings(paths=PathsSettings(state=tmp_path))
    first, second = with_token(settings), with_token(settings)
    file = tmp_path / "whip-token"
    assert first.whip.tokens == second.whip.tokens
    assert first.whip.tokens[0].get_secret_value() == file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_configured_token_is_left_alone(tmp_path: Path) -> None:
    """No file is made when the operator chose the tokens."""
    settings = Settings(paths=PathsSettings(state=tmp_path), whip=WhipSettings(tokens=("chosen-by-hand",)))
    assert with_token(settings) is settings
    assert not list(tmp_path.iterdir())


def test_a_state_folder_that_cannot_be_made_is_an_error_with_advice(tmp_path: Path) -> None:
    """A file where the folder should be gives a start error that names the setting."""
    (tmp_path / "state").touch()
    with pytest.raises(StartError, match="LIFESIGN_WHIP__TOKENS"):
        with_token(Settings(paths=PathsSettings(state=tmp_path / "state" / "deeper")))
