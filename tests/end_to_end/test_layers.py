# SPDX-License-Identifier: Apache-2.0
"""A real browser sends temporal layers in several codecs, and only those that are looked at are decoded."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.end_to_end.test_browser import site
from tests.fakes.browser import camera_file, chromium
from tests.fakes.calls import TOKEN, Watcher, serving, until, whip_server
from tests.fakes.clips import write_clip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(110)]
CODECS = ("VP8", "VP9", "AV1")


async def test_base_layer_of_a_browser_is_enough(tmp_path: Path) -> None:
    """Of Chromium's VP8, VP9 and AV1 in L1T3 the base layer alone is shown once the rates are known, unbroken."""
    write_clip(f"{tmp_path}/clip.mp4", seconds=3.0, size=(320, 240))
    camera = camera_file(tmp_path / "clip.mp4", tmp_path / "camera.mjpeg", 3.0)
    watcher = Watcher()
    async with whip_server(watcher, samples_per_s=3, path="tap") as (server, url), serving(site()) as origin:
        pairs = [pair for codec in CODECS for pair in (("whip", f"{url}/call/{codec}"), ("codec", codec))]
        async with chromium(f"{origin}/#{urlencode([('token', TOKEN), *pairs])}", camera, tmp_path / "profile"):
            await until(lambda: all(watcher.frames(codec) for codec in CODECS), 60.0)
            await until(lambda: all(watcher.frames(codec)[-1].media_s > 6.0 for codec in CODECS), 30.0)
        frames = {codec: watcher.frames(codec) for codec in CODECS}
        counts = {codec: watcher.feeds[codec][0].counts for codec in CODECS}
    for codec in CODECS:
        assert frames[codec][0].facts.keyframe
        assert {frame.facts.codec for frame in frames[codec]} == {codec.lower()}
        assert {frame.facts.temporal_layer for frame in frames[codec] if frame.media_s > 4.0} == {0}
        assert counts[codec].failed == 0
    assert server.route.fallback_count == 0
