# SPDX-License-Identifier: Apache-2.0
"""A whole service on loopback, and clips to send it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from monitor.app import serving
from monitor.config import (
    EvidenceSettings,
    HttpSettings,
    LoadSettings,
    MqttSettings,
    PathsSettings,
    Settings,
    WhipSettings,
)
from monitor.service import Service
from tests.fakes.blue import BlueDetector, record
from tests.fakes.media import sample

TOKEN = "a-token-for-tests"
Open = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
def open_monitor(tmp_path: Path) -> Open:
    """Open a service on free ports whose detector raises the alarm at blue faces, with these settings.

    It does not act on load unless asked to, so that a busy machine changes no outcome.
    """
    sample("face_landmarker")

    @asynccontextmanager
    async def opened(
        evidence: EvidenceSettings | None = None, load: LoadSettings | None = None, **mqtt: Any
    ) -> AsyncIterator[Service]:
        settings = Settings(
            http=HttpSettings(port=0),
            whip=WhipSettings(tokens=(SecretStr(TOKEN),)),
            mqtt=MqttSettings(**({"port": 0} | mqtt)),
            evidence=evidence or EvidenceSettings(),
            load=load or LoadSettings(enabled=False),
            paths=PathsSettings(state=tmp_path / "state"),
        )
        async with AsyncExitStack() as stack:
            yield await serving(stack, settings, load=lambda _name, _device: BlueDetector())

    return opened


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Nine seconds of a genuine caller, and the same with a blue face."""
    folder = tmp_path_factory.mktemp("clips")
    source = sample("pexels_woman")
    return {
        "genuine": record(source, folder / "genuine.mp4", 9.0),
        "blue": record(source, folder / "blue.mp4", 9.0, blue=True),
    }
