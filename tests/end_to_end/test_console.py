# SPDX-License-Identifier: Apache-2.0
"""A person chooses an alert in the console and sees what it rests on."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from monitor.capture.problem import answer_problem
from monitor.config import EvidenceSettings, PathsSettings, Settings
from monitor.errors import RequestError
from monitor.publish import api
from monitor.publish import page as pages
from monitor.publish.builder import EventBuilder
from monitor.publish.explanations import routes
from monitor.publish.explanations.album import open_album
from monitor.publish.explanations.desk import ExplanationDesk
from monitor.publish.explanations.pictures import Pictures
from monitor.publish.live import Live
from monitor.values import Alert, AlertChange, AttackKind, TimelineStep
from tests.fakes.brokers import until
from tests.fakes.devtools import page
from tests.fakes.looks import worst_look
from tests.publish.conftest import IDENTITY, clock
from tests.publish.test_api import authorize

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

SHOT = "TESTS_SHOT"
"""Names a file for a screenshot, for whoever wants to look at the page."""

WATCH = """document.getElementById("token").value = "right"; document.querySelector("form button").click()"""
SHOWN = """!document.getElementById("why").hidden && !document.getElementById("explained").hidden"""


def alert(name: str) -> Alert:
    """An alert with half a minute of three cues."""
    steps = tuple(
        TimelineStep(40.0 + index, 0.5 + index / 60, {"detector": index / 15 - 0.5, "blink": -0.2, "replay": 0.3})
        for index in range(30)
    )
    words = ("The face shows traces of blending, as when another face is put over it.",)
    kinds, added = {AttackKind.FACE_SWAP: 0.8, AttackKind.LIP_SYNC: 0.2}, {"detector": 9.1, "replay": 2.0}
    return Alert(name, AlertChange.RAISED, "board", "alice", 1, 70.0, 70.0, 0.93, kinds, words, added, steps)


@asynccontextmanager
async def console(folder: Path, *, pictures: bool) -> AsyncIterator[str]:
    """A console with one alert, and its address."""
    key = SecretStr(base64.b64encode(bytes(32)).decode())
    settings = Settings(paths=PathsSettings(state=folder), evidence=EvidenceSettings(pictures=pictures, key=key))
    live, builder = Live(), EventBuilder(IDENTITY, lambda: "id", clock)
    async with Pictures(open_album(settings)) as kept:
        desk = ExplanationDesk(kept)
        event = builder.alert(alert("alert-1"))
        live(event)
        desk.take(event.data, [worst_look(50.0 + part, 3.0 - part, level=120) for part in range(3)])
        await until(lambda: kept.counts.written == int(pictures))
        app = FastAPI()
        app.add_exception_handler(RequestError, answer_problem)
        for part in (api.routes(live, authorize), routes.routes(desk, authorize), pages.routes()):
            app.include_router(part)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/console"
        finally:
            live.close()
            server.should_exit = True
            await task


@pytest.mark.parametrize("pictures", [False, True])
async def test_a_chosen_alert_is_explained(tmp_path: Path, *, pictures: bool) -> None:
    """Bars for every second and cue, a map for every look, pictures where they are kept; a second click closes it."""
    async with console(tmp_path, pictures=pictures) as url, page(url, tmp_path / "profile") as shown:
        await shown.until("""!!document.getElementById("token")""")
        await shown.run(WATCH)
        await shown.until("""document.querySelectorAll("#alerts button").length === 1""")
        await shown.run("""document.querySelector("#alerts button").click()""")
        await shown.until(SHOWN)
        await shown.until(f"""document.querySelectorAll("#looks img").length === {3 * pictures}""")
        assert await shown.run("""document.querySelectorAll("#chart rect").length""") == 90
        assert await shown.run("""document.querySelectorAll("#looks .map").length""") == 3
        assert await shown.run("""document.querySelectorAll("#looks .map rect").length""") == 3 * (144 - 64)
        legend = await shown.run("""document.getElementById("legend").textContent""")
        assert "detector +9.1 nats in all" in legend
        widths = await shown.run("""[...document.querySelectorAll("#looks img")].map((one) => one.naturalWidth)""")
        assert widths == [768] * 3 * pictures
        if os.environ.get(SHOT):
            await asyncio.to_thread(Path(os.environ[SHOT]).write_bytes, await shown.screenshot())
        await shown.run("""document.querySelector("#alerts button").click()""")
        await shown.until("""document.getElementById("why").hidden""")


async def test_an_alert_that_is_no_longer_known_is_said_so(tmp_path: Path) -> None:
    """The console tells the reason in the server's words."""
    async with console(tmp_path, pictures=False) as url, page(url, tmp_path / "profile") as shown:
        await shown.until("""!!document.getElementById("token")""")
        await shown.run(WATCH)
        await shown.until("""document.querySelectorAll("#alerts button").length === 1""")
        await shown.run("""choose("gone")""")
        await shown.until("""document.getElementById("unexplained").textContent.includes("Nothing is known")""")
