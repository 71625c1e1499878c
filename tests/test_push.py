# SPDX-License-Identifier: Apache-2.0
"""Playing a file into a WHIP endpoint."""

import asyncio
from pathlib import Path

import pytest
from fastapi import FastAPI, Response

from monitor.errors import FileError, PushError
from monitor.push import push
from tests.fakes.calls import TOKEN, Watcher, serving, until, whip_server
from tests.fakes.clips import write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of picture and sound."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_clip(str(path), seconds=2, sound=True)
    return path


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_file_is_played_and_left(clip: Path, codec: str) -> None:
    """The whole file arrives at its own speed with its sound; the session is ended, progress was told."""
    watcher, told = Watcher(), []
    began = asyncio.get_running_loop().time()
    async with whip_server(watcher, end_after_s=60) as (server, url):
        pushed = await push(clip, f"{url}/call/alice", TOKEN, codec=codec, progress=lambda *at: told.append(at))
        assert asyncio.get_running_loop().time() - began >= 2
        await until(lambda: server.sessions == 0, 5)
    frames = watcher.frames("alice")
    assert {frame.facts.codec for frame in frames} == {codec}
    assert 15 <= len(frames) <= 20
    assert pushed.seconds == pytest.approx(2, abs=0.1)
    assert pushed.pictures >= 50
    assert watcher.feeds["alice"][0].counts.sounds > 50
    assert told[-1][0] == pushed.seconds
    assert told[-1][1] == pytest.approx(2, abs=0.1)


async def test_loop_plays_until_cancelled(clip: Path) -> None:
    """A looped file goes on past its end with rising media time, and cancelling it ends the session."""
    watcher = Watcher()
    async with whip_server(watcher, end_after_s=60) as (server, url):
        task = asyncio.create_task(push(clip, f"{url}/call/alice", TOKEN, loop=True))
        await until(lambda: watcher.frames("alice") and watcher.frames("alice")[-1].media_s > 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.sessions == 0, 5)
    times = [frame.media_s for frame in watcher.frames("alice")]
    assert times == sorted(times)


async def test_large_and_fast_films_are_tamed(tmp_path: Path) -> None:
    """Odd, large and 60 frames/s: the picture is scaled to even sides of at most 1280, and arrives."""
    path = tmp_path / "large.mkv"
    write_clip(str(path), seconds=1, fps=60, size=(1920, 540), codec="mpeg4")
    watcher = Watcher()
    async with whip_server(watcher) as (_, url):
        pushed = await push(path, f"{url}/call/alice", TOKEN)
    assert {(frame.picture.width_px, frame.picture.height_px) for frame in watcher.frames("alice")} == {(1280, 360)}
    assert pushed.pictures <= 31


async def test_bad_files_are_refused_before_anyone_is_called(tmp_path: Path) -> None:
    """Missing, empty, sound-only and non-video files are told apart; the endpoint is not asked."""
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "words.txt").write_text("words\n" * 40)
    write_clip(str(tmp_path / "sound.mp4"), video=False, sound=True)
    half = tmp_path / "half.mp4"
    write_clip(str(half), seconds=1)
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    for name, word in [
        ("none.mp4", "no file"),
        ("empty.mp4", "empty"),
        ("words.txt", "picture"),
        ("sound.mp4", "picture"),
        ("half.mp4", "cut off"),
    ]:
        with pytest.raises(FileError, match=word):
            await push(tmp_path / name, "http://127.0.0.1:9/whip/call/alice", TOKEN)


async def test_endpoint_unreachable_or_refusing(clip: Path) -> None:
    """Nobody there, a wrong token, a wrong id and a full server each say what happened and what to do."""
    with pytest.raises(PushError, match="cannot be reached") as caught:
        await push(clip, "http://127.0.0.1:9/whip/call/alice", TOKEN)
    assert caught.value.code == "push"
    async with whip_server(Watcher()) as (server, url):
        with pytest.raises(PushError, match=r"401.*not valid here") as caught:
            await push(clip, f"{url}/call/alice", "wrong")
        assert "operator" in caught.value.advice
        with pytest.raises(PushError, match="422"):
            await push(clip, f"{url}/call/al+ice", TOKEN)
        server.drain()
        with pytest.raises(PushError, match="503"):
            await push(clip, f"{url}/call/alice", TOKEN)


async def test_endpoint_that_is_none(clip: Path) -> None:
    """A web page, and an answer that is no SDP, are not taken for WHIP."""
    app = FastAPI()
    app.add_api_route("/page", lambda: Response("<html>"), methods=["POST"])
    app.add_api_route("/odd", lambda: Response("<html>", 201), methods=["POST"])
    app.add_api_route("/long", lambda: Response("v" * 200_000, 201), methods=["POST"])
    async with serving(app) as url:
        for path, word in [("page", "answered 200"), ("odd", "not SDP"), ("long", "too long"), ("none", "404")]:
            with pytest.raises(PushError, match=word):
                await push(clip, f"{url}/{path}", TOKEN)


async def test_server_that_hangs_up(clip: Path) -> None:
    """A session ended by the other side before the file is over is an error."""
    watcher = Watcher()
    async with whip_server(watcher) as (server, url):
        task = asyncio.create_task(push(clip, f"{url}/call/alice", TOKEN, loop=True))
        await watcher.more("alice", 3)
        await server.aclose()
        with pytest.raises(PushError, match="ended the session"):
            await task
