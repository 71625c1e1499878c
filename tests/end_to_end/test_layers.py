# SPDX-License-Identifier: Apache-2.0
"""A real browser sends temporal layers, and only those that are looked at are decoded."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.end_to_end.test_browser import site
from tests.fakes.browser import camera_file, chromium
from tests.fakes.calls import TOKEN, Watcher, serving, until, whip_server
from tests.fakes.clips import write_clip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(110)]


async def test_base_layer_of_a_browser_is_enough(tmp_path: Path) -> None:
    """Of Chromium's VP8 in L1T3 the base layer alone is shown once the rates are known, without a break."""
    write_clip(f"{tmp_path}/clip.mp4", seconds=3.0, size=(320, 240))
    camera = camera_file(tmp_path / "clip.mp4", tmp_path / "camera.mjpeg", 3.0)
    watcher = Watcher()
    async with whip_server(watcher, samples_per_s=3, path="tap") as (server, url), serving(site()) as origin:
        query = urlencode({"whip": f"{url}/call/browser", "token": TOKEN, "codec": "VP8"})
        async with chromium(f"{origin}/#{query}", camera, tmp_path / "profile"):
            await until(lambda: watcher.frames("browser"), 60.0)
            await until(lambda: watcher.frames("browser")[-1].media_s > 6.0, 30.0)
        frames, counts = watcher.frames("browser"), watcher.feeds["browser"][0].counts
    assert frames[0].facts.keyframe
    assert {frame.facts.temporal_layer for frame in frames if frame.media_s > 4.0} == {0}
    assert counts.failed == 0
    assert server.route.fallback_count == 0
