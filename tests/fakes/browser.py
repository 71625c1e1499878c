# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium whose camera, and microphone, is a file."""

import asyncio
import contextlib
import itertools
import math
import shutil
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

__all__ = ["camera_file", "chromium", "launched"]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--enable-logging=stderr",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]


def camera_file(source: Path, target: Path, seconds: float, start_s: float = 0.0, *, swing: bool = False) -> Path:
    """Write some seconds of a clip as Motion JPEG, which Chromium plays in a loop as its camera.

    With `swing` they go there and back, so that nothing jumps where the loop begins again.
    """
    with av.open(str(source)) as film, av.open(str(target), "w", format="mjpeg") as out:
        rate = Fraction(film.streams.video[0].average_rate or 25)
        stream = out.add_stream("mjpeg", rate=rate, options={"qmin": "2", "qmax": "4"})
        stream.width, stream.height = film.streams.video[0].width, film.streams.video[0].height
        stream.pix_fmt = "yuvj420p"
        wanted = itertools.islice(film.decode(video=0), int(start_s * rate), math.ceil((start_s + seconds) * rate))
        pictures = [frame.reformat(format="yuvj420p") for frame in wanted]
        for index, picture in enumerate(pictures + pictures[::-1] if swing else pictures):
            picture.pts, picture.time_base = index, 1 / rate
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return target


@contextlib.asynccontextmanager
async def chromium(
    url: str, camera: Path, folder: Path, microphone: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Open a page until the block ends; skips the test where Chromium is missing. A microphone is a WAV file."""
    heard = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    async with launched(folder, f"--use-file-for-fake-video-capture={camera}", *heard, url) as process:
        yield process


@contextlib.asynccontextmanager
async def launched(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run Chromium with its profile in `folder` until the block ends; skips the test where it is missing."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("chromium is missing: install the Debian package chromium")
    with (folder.parent / f"{folder.name}.log").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            program, *FLAGS, f"--user-data-dir={folder}", *arguments, stdout=said, stderr=said
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
