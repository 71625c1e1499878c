# SPDX-License-Identifier: Apache-2.0
"""A real browser publishes its camera by WHIP and is judged."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from monitor.publish.events import AlertEvent, Event, VerdictEvent
from tests.end_to_end.conftest import TOKEN, Open
from tests.fakes.browser import camera_file, chromium
from tests.fakes.calls import serving, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]
PAGE = Path(__file__).with_name("publisher.html")


def site() -> FastAPI:
    """The publisher's page, served from another origin than the monitor's."""
    app = FastAPI()

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(PAGE.read_text(encoding="utf-8"))

    return app


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_browser_is_watched(codec: str, open_monitor: Open, clips: dict[str, Path], tmp_path: Path) -> None:
    """Chromium's camera is received across origins, found to be a face, judged, and alerted when it is blue."""
    camera = camera_file(clips["blue"], tmp_path / "camera.mjpeg", 9.0)
    events: list[Event] = []
    async with open_monitor() as service, serving(site()) as origin:
        service.publisher.sinks.append(events.append)
        query = urlencode({"whip": f"{service.url}/whip/call/browser", "token": TOKEN, "codec": codec})
        async with chromium(f"{origin}/#{query}", camera, tmp_path / "profile"):
            await until(lambda: [event for event in events if isinstance(event, AlertEvent)], 60.0)
        feed = service.calls.feeds("call")["browser"]
        assert feed.heard(5.0), "the browser's sound is tapped too"
        said = [event.data for event in events if isinstance(event, VerdictEvent)]
        assert max(face.judged_s for data in said for face in data.faces) >= 4.0
