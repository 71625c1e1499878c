# SPDX-License-Identifier: Apache-2.0
"""A forged call in; what its alert rests on, over HTTP alone, out."""

import asyncio
import base64
import json
from pathlib import Path

import aiohttp
import cv2
import numpy as np
import pytest
from pydantic import SecretStr

from monitor.config import EvidenceSettings
from monitor.push import push
from monitor.service import Service
from tests.end_to_end.conftest import TOKEN, Open
from tests.fakes.brokers import hear
from tests.fakes.calls import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

BEARER = {"Authorization": f"Bearer {TOKEN}"}
PICTURES = EvidenceSettings(pictures=True, key=SecretStr(base64.b64encode(bytes(32)).decode()))


async def payloads(service: Service, clip: Path) -> list[bytes]:
    """All that a stranger reads from the broker while a clip is played into a call."""
    assert service.publisher.address is not None
    assert await service.publisher.connected(10.0)
    async with hear(service.publisher.address[1], "#") as hearing:
        await push(clip, f"{service.url}/whip/call/blue", TOKEN)
        await service.calls.all_ended()
        assert await service.publisher.flush(10.0)
        await asyncio.sleep(0.5)
        return [message.payload for message in hearing.messages if message.payload]


def alert_of(said: list[bytes]) -> str:
    """The id of the one alert."""
    events = [json.loads(payload) for payload in said]
    (alert,) = {event["data"]["alert"] for event in events if event["type"] == "lifesign.alert.v1"}
    return str(alert)


async def test_pictures_are_kept_sealed_and_never_published(
    open_monitor: Open, clips: dict[str, Path], tmp_path: Path
) -> None:
    """The operator opted in: HTTP shows the blue face, the disk holds nothing readable, MQTT nothing of it."""
    async with open_monitor(PICTURES) as service, aiohttp.ClientSession(service.url, headers=BEARER) as http:
        said = await payloads(service, clips["blue"])
        alert = alert_of(said)
        await until(lambda: service.explanations.pictures.counts.files == 1)
        kept = await service.explanations.pictures.read(alert)
        told = await (await http.get(f"/v1/alerts/{alert}/explanation")).json()
        shown = await (await http.get(f"/v1/alerts/{alert}/pictures/1.png")).read()
        assert "lifesign_pictures_files 1.0" in await (await http.get("/metrics")).text()
    assert told["alert"]["timeline"]
    assert told["pictures"] == len(told["looks"]) == 3
    picture, _ = np.hsplit(cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_COLOR), 2)
    assert picture[..., 0].mean() > picture[..., 2].mean(), "the face is blue"
    assert kept is not None
    for payload in said:
        assert len(payload) < 20_000
        assert not any(word in payload for word in (b"PNG", b"boundary", b"looks", b"iVBOR"))
        assert not any(crop in payload or base64.b64encode(crop) in payload for crop in kept.crops)
    (file,) = (tmp_path / "state" / "pictures-lifesign").iterdir()
    assert file.name == f"{alert}.sealed"


async def test_without_being_asked_for_nothing_of_a_face_is_kept(
    open_monitor: Open, clips: dict[str, Path], tmp_path: Path
) -> None:
    """Maps explain the alert all the same; there is no picture in memory, on the disk or over HTTP."""
    async with open_monitor() as service, aiohttp.ClientSession(service.url, headers=BEARER) as http:
        alert = alert_of(await payloads(service, clips["blue"]))
        told = await (await http.get(f"/v1/alerts/{alert}/explanation")).json()
        async with http.get(f"/v1/alerts/{alert}/pictures/1.png") as refused:
            assert refused.status == 403
    assert len(told["looks"]) == 3
    assert told["pictures"] == 0
    assert not (tmp_path / "state" / "pictures-lifesign").exists()
