# SPDX-License-Identifier: Apache-2.0
"""What explains an alert, over a real HTTP server on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import cv2
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI

from monitor.errors import RequestError
from monitor.publish.builder import EventBuilder
from monitor.publish.events import AlertData
from monitor.publish.explanations import routes
from monitor.publish.explanations.album import Album
from monitor.publish.explanations.desk import ExplanationDesk
from monitor.publish.explanations.folder import Folder
from monitor.publish.explanations.pictures import Pictures
from monitor.publish.explanations.seal import Seal
from monitor.publish.explanations.shelf import MOST
from monitor.values import AlertChange
from tests.fakes.brokers import until
from tests.fakes.looks import worst_look
from tests.publish.conftest import IDENTITY, clock, make_alert
from tests.publish.test_api import TOKEN, authorize, refuse

KEEP_S = 3600.0


def alert(change: AlertChange = AlertChange.RAISED, name: str = "alert-1") -> AlertData:
    """What was said of an alert."""
    return EventBuilder(IDENTITY, lambda: "id", clock).alert(make_alert(change, name)).data


class House:
    """A desk, the clock its pictures expire by, and the folder they lie in."""

    def __init__(self, path: Path, key: bytes | None = bytes(32)) -> None:
        self.now_s = 1.8e9
        self.path = path / "pictures"
        folder = Folder(self.path, KEEP_S, 1 << 20, lambda: self.now_s)
        self.pictures = Pictures(Album(folder, Seal(key) if key else None))
        self.desk = ExplanationDesk(self.pictures)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[aiohttp.ClientSession]:
        """The routes behind uvicorn, and a client for them."""
        app = FastAPI()
        app.add_exception_handler(RequestError, refuse)
        app.include_router(routes.routes(self.desk, authorize))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
        async with self.pictures:
            task = asyncio.create_task(server.serve())
            await until(lambda: server.started)
            port = server.servers[0].sockets[0].getsockname()[1]
            try:
                async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=TOKEN) as client:
                    yield client
            finally:
                server.should_exit = True
                await task


async def problem(client: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    """Status and code of a refusal."""
    async with client.get(path) as answer:
        return answer.status, (await answer.json())["code"]


async def test_an_alert_is_explained_without_pictures(tmp_path: Path) -> None:
    """Timeline, contributions and maps come from memory; there is no pixel, and nothing on the disk."""
    house = House(tmp_path, key=None)
    async with house.open() as client:
        house.desk.take(alert(), [worst_look()])
        async with client.get("/v1/alerts/alert-1/explanation") as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            told = await answer.json()
        assert told["alert"]["contributions_nats"] == {"detector": 9.125}
        (look,) = told["looks"]
        assert look["boundary"] == worst_look().boundary.tolist()
        assert (look["media_s"], look["score"], look["face"]["left"]) == (1.0, 0.9, 10.0)
        assert told["pictures"] == 0
        assert await problem(client, "/v1/alerts/alert-1/pictures/1.png") == (403, "pictures_off")
    assert not house.path.exists()


async def test_a_picture_shows_the_crop_and_the_map_over_it(tmp_path: Path) -> None:
    """Left the face as it was, right the map in cyan as sure as it is; nobody keeps a copy on the way."""
    house = House(tmp_path)
    async with house.open() as client:
        house.desk.take(alert(), [worst_look(level=90)])
        await until(lambda: house.pictures.counts.written == 1)
        async with client.get("/v1/alerts/alert-1/explanation") as answer:
            assert (await answer.json())["pictures"] == 1
        async with client.get("/v1/alerts/alert-1/pictures/1.png") as answer:
            assert (answer.content_type, answer.headers["Cache-Control"]) == ("image/png", "no-store")
            shown = cv2.imdecode(np.frombuffer(await answer.read(), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    plain, mixed = np.hsplit(shown, 2)
    assert plain.shape == (384, 384, 3)
    assert np.all(plain == 90)
    assert np.all(mixed[192, 192] == 90)
    assert mixed[192, 72].tolist() == [19, 192, 219]


async def test_a_picture_is_gone_when_it_has_expired(tmp_path: Path) -> None:
    """To the second, before any task has deleted it; the explanation stays."""
    house = House(tmp_path)
    async with house.open() as client:
        house.desk.take(alert(), [worst_look(level=90)])
        await until(lambda: house.pictures.counts.written == 1)
        house.now_s += KEEP_S
        assert await problem(client, "/v1/alerts/alert-1/pictures/1.png") == (404, "explanation")
        async with client.get("/v1/alerts/alert-1/explanation") as answer:
            assert (await answer.json())["pictures"] == 0


async def test_a_forerunners_alert_is_explained_while_its_pictures_are_kept(tmp_path: Path) -> None:
    """After a restart with the same key; with another key the pictures are refused by a code of their own."""
    before = House(tmp_path)
    async with before.pictures:
        before.desk.take(alert(), [worst_look(level=90)])
    async with House(tmp_path).open() as client, client.get("/v1/alerts/alert-1/explanation") as answer:
        assert (await answer.json())["pictures"] == 1
    async with House(tmp_path, bytes(range(32))).open() as client:
        assert await problem(client, "/v1/alerts/alert-1/pictures/1.png") == (409, "pictures_key")
        assert await problem(client, "/v1/alerts/alert-1/explanation") == (404, "explanation")


async def test_what_raised_an_alert_stays_when_it_is_cleared(tmp_path: Path) -> None:
    """By then the face looks well; that is not what the alert was about."""
    house = House(tmp_path, key=None)
    async with house.open() as client:
        house.desk.take(alert(), [worst_look(1.0)])
        house.desk.take(alert(AlertChange.CLEARED), [worst_look(99.0)])
        async with client.get("/v1/alerts/alert-1/explanation") as answer:
            told = await answer.json()
    assert told["alert"]["change"] == "cleared"
    assert [look["media_s"] for look in told["looks"]] == [1.0]


async def test_a_thousand_alerts_are_bounded(tmp_path: Path) -> None:
    """The newest are explained, the others are as if they had never been."""
    house = House(tmp_path, key=None)
    async with house.open() as client:
        for index in range(1000):
            house.desk.take(alert(name=f"alert-{index}"), [worst_look()])
        assert await problem(client, f"/v1/alerts/alert-{999 - MOST}/explanation") == (404, "explanation")
        async with client.get(f"/v1/alerts/alert-{1000 - MOST}/explanation") as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("none/explanation", 404, "explanation"),
        ("a%20b/explanation", 422, "id"),
        ("..%5Calert-1/explanation", 422, "id"),
        (f"{'x' * 65}/explanation", 422, "id"),
        ("alert-1%0A/pictures/1.png", 422, "id"),
        ("alert-1/pictures/0.png", 404, "explanation"),
        ("alert-1/pictures/2.png", 404, "explanation"),
        ("alert-1/pictures/-1.png", 404, "explanation"),
        ("alert-1/pictures/1e1.png", 404, "explanation"),
        ("alert-1/pictures/%D9%A1.png", 404, "explanation"),
    ],
)
async def test_what_is_not_there_is_a_problem(tmp_path: Path, path: str, status: int, code: str) -> None:
    """Ids that are none and numbers that no picture has are refused by code, never a server error."""
    house = House(tmp_path)
    async with house.open() as client:
        house.desk.take(alert(), [worst_look(level=90)])
        assert await problem(client, f"/v1/alerts/{path}") == (status, code)


@pytest.mark.parametrize("path", ["..%2Falert-1/explanation", "%2e%2e%2f%2e%2e%2fetc/pictures/1.png"])
async def test_a_path_in_an_id_leads_nowhere(tmp_path: Path, path: str) -> None:
    """A slash is no part of an id, however it is spelled."""
    async with House(tmp_path).open() as client, client.get(f"/v1/alerts/{path}") as answer:
        assert answer.status in {404, 422}


@pytest.mark.parametrize("path", ["explanation", "pictures/1.png"])
async def test_every_path_asks_for_the_token(tmp_path: Path, path: str) -> None:
    """Without it nothing is told, not even whether there is such an alert."""
    house = House(tmp_path)
    async with house.open() as client:
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}):
            async with client.get(f"/v1/alerts/alert-1/{path}", headers=headers) as answer:
                assert answer.status == 401
