# SPDX-License-Identifier: Apache-2.0
"""Recordings as feeds, good and bad."""

import asyncio
import fractions
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from monitor.capture.recording import shown
from monitor.capture.replay import Pace, Replay
from monitor.config import CaptureSettings
from monitor.errors import FileError
from monitor.values import Frame
from tests.fakes.clips import pattern, write_clip
from tests.fakes.media import sample


async def played(
    source: str | Path, pace: Pace = "fast", rate: float = 5.0, slow_s: float = 0.0
) -> tuple[list[Frame], Replay]:
    """All frames of a recording, read by someone who takes `slow_s` for each."""
    replay = Replay(source, "call", "file", CaptureSettings(samples_per_s=rate), pace)
    frames = []
    async for frame in replay.media():
        frames.append(frame)
        await asyncio.sleep(slow_s)
    return frames, replay


async def test_every_sampled_frame_comes(tmp_path: Path) -> None:
    """At full speed nothing is left out, however slow the reader: two seconds at 10 frames/s are 20 frames."""
    clip = str(tmp_path / "clip.mp4")
    write_clip(clip, seconds=2, fps=30, sound=True)
    frames, replay = await played(clip, rate=10, slow_s=0.01)
    assert [round(frame.media_s, 3) for frame in frames] == [round(step / 10, 3) for step in range(20)]
    assert (frames[0].facts.codec, frames[0].facts.keyframe) == ("h264", True)
    counts = replay.counts
    assert (counts.received, counts.sampled, counts.yielded, counts.dropped) == (60, 20, 20, 0)
    for frame in frames[::5]:
        sent = pattern(320, 240, round(frame.media_s * 30)).to_ndarray()
        assert np.abs(frame.picture.i420[100:240].astype(int) - sent[100:240]).mean() < 12


async def test_facts(tmp_path: Path) -> None:
    """Length, frame rate, size, codec and sound are known before the first frame."""
    clip = str(tmp_path / "clip.mp4")
    write_clip(clip, seconds=2, fps=25, size=(160, 120), sound=True)
    replay = Replay(clip, "call", "file", CaptureSettings())
    facts = await replay.open()
    assert (facts.codec, facts.width_px, facts.height_px, facts.has_sound) == ("h264", 160, 120, True)
    assert facts.fps == pytest.approx(25)
    assert facts.duration_s == pytest.approx(2, abs=0.1)
    await replay.close()
    await replay.close()


async def test_live_pace_follows_the_media_clock(tmp_path: Path) -> None:
    """Live, a frame comes when its time has come; a slow reader misses frames instead of falling behind."""
    clip = str(tmp_path / "clip.mp4")
    write_clip(clip, seconds=1.5)
    began = time.monotonic()
    frames, replay = await played(clip, "live", rate=10, slow_s=0.35)
    assert time.monotonic() - began >= 1.3
    assert 3 <= len(frames) <= 6
    assert replay.counts.dropped == 15 - len(frames)
    assert frames[-1].media_s >= 1.2


async def test_sound_is_heard_up_to_the_frame(tmp_path: Path) -> None:
    """What is heard with a frame is the sound before it, never what comes later in the file."""
    clip = str(tmp_path / "clip.mp4")
    write_clip(clip, seconds=2, sound=True)
    replay = Replay(clip, "call", "file", CaptureSettings(samples_per_s=5))
    ends = []
    async for frame in replay.media():
        heard = replay.heard(0.2)
        ends += [frame.media_s - heard[-1].media_s] if heard else []
    assert len(ends) >= 8
    assert all(0 <= late_s < 0.6 for late_s in ends)


async def test_abandoned_replay_frees_the_file(tmp_path: Path) -> None:
    """A reader who leaves half-way, or closes from elsewhere, ends decoding."""
    clip = str(tmp_path / "clip.mp4")
    write_clip(clip, seconds=3)
    replay = Replay(clip, "call", "file", CaptureSettings())
    media = replay.media()
    await anext(media)
    await media.aclose()
    other = Replay(clip, "call", "file", CaptureSettings())
    seen = 0
    async for _ in other.media():
        seen += 1
        await other.close()
    assert seen == 1


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx", "libvpx-vp9", "mjpeg"])
async def test_codecs_of_files(tmp_path: Path, codec: str) -> None:
    """H.264, HEVC, VP8, VP9 and Motion JPEG recordings play to the end."""
    clip = str(tmp_path / "clip.mkv")
    try:
        write_clip(clip, seconds=1, codec=codec, size=(128, 96))
    except (av.codec.codec.UnknownCodecError, ValueError):
        pytest.skip(f"this FFmpeg has no encoder {codec}")
    frames, _ = await played(clip, rate=10)
    assert len(frames) == 10


async def test_resolution_changes_mid_stream(tmp_path: Path) -> None:
    """Two transport streams end to end, of different sizes: every frame at its size, media time goes on."""
    parts = []
    for number, size in enumerate([(320, 240), (160, 128)]):
        part = tmp_path / f"{number}.ts"
        write_clip(str(part), seconds=1, size=size)
        parts.append(part.read_bytes())
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    frames, replay = await played(joined, rate=10)
    sizes = [frame.picture.width_px for frame in frames]
    assert set(sizes) == {320, 160}
    assert sizes == sorted(sizes, reverse=True)
    times = [frame.media_s for frame in frames]
    assert times == sorted(times)
    assert times[-1] < 3
    assert replay.counts.failed == 0


async def test_variable_frame_rate(tmp_path: Path) -> None:
    """Media times are those of the file: a stretch at 10 frames/s and one at 60 are sampled alike."""
    clip = str(tmp_path / "variable.mkv")
    times = [step / 10 for step in range(10)] + [1 + step / 60 for step in range(58)]
    with av.open(clip, "w") as container:
        stream = container.add_stream("libx264", rate=60, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.time_base = fractions.Fraction(1, 1000)
        for step, at in enumerate(times):
            picture = pattern(128, 96, step)
            picture.pts, picture.time_base = round(at * 1000), fractions.Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    frames, _ = await played(clip, rate=5)
    assert [frame.media_s for frame in frames] == pytest.approx([step / 5 for step in range(10)], abs=0.03)


async def test_picture_file_is_one_frame(tmp_path: Path) -> None:
    """A photograph plays as a video of one frame, with odd sides cut to even ones."""
    photo = tmp_path / "photo.jpg"
    pattern(64, 48, 0).reformat(width=63, height=47).save(str(photo))
    frames, _ = await played(photo)
    assert [(frame.picture.width_px, frame.picture.height_px) for frame in frames] == [(62, 46)]


def nothing(path: Path) -> None:
    """An empty file."""
    path.write_bytes(b"")


def text(path: Path) -> None:
    """Words, which FFmpeg would gladly turn into moving pictures."""
    path.write_text("not a film\n" * 50)


def noise(path: Path) -> None:
    """Bytes that mean nothing."""
    path.write_bytes(np.random.default_rng(0).bytes(20_000))


def sound_only(path: Path) -> None:
    """A film without pictures."""
    write_clip(str(path), video=False, sound=True)


def cut_off(path: Path) -> None:
    """The first half of an MP4 whose index is at its end."""
    write_clip(str(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def headers_only(path: Path) -> None:
    """A Matroska file that ends before its first picture."""
    write_clip(str(path))
    path.write_bytes(path.read_bytes()[:700])


@pytest.mark.parametrize(
    ("name", "make", "word"),
    [
        ("empty.mp4", nothing, "is empty"),
        ("words.txt", text, "no picture track"),
        ("noise.mp4", noise, "is not a video"),
        ("sound.mp4", sound_only, "no picture track"),
        ("half.mp4", cut_off, "cut off before its index"),
        ("head.mkv", headers_only, ""),
    ],
)
@pytest.mark.parametrize("pace", ["fast", "live"])
async def test_what_cannot_be_played(
    tmp_path: Path, name: str, make: Callable[[Path], None], word: str, pace: Pace
) -> None:
    """Each way to be no video is an error with a code, the file's name, and what to do next."""
    path = tmp_path / name
    make(path)
    with pytest.raises(FileError) as caught:
        await played(path, pace)
    assert caught.value.code == "file"
    assert name in caught.value.what
    assert word in caught.value.what
    assert caught.value.advice


async def test_what_is_not_a_file(tmp_path: Path) -> None:
    """A missing file, a folder and a dead address are told apart."""
    for source, word in [(tmp_path / "none.mp4", "There is no file"), (tmp_path, "is a folder")]:
        with pytest.raises(FileError, match=word):
            await played(source)
    with pytest.raises(FileError, match="cannot be played") as caught:
        await played("http://name:secret@127.0.0.1:9/film.mp4")
    assert "secret" not in str(caught.value)


async def test_truncated_recording_plays_what_is_left(tmp_path: Path) -> None:
    """A Matroska recording cut off in the middle plays up to there."""
    clip = tmp_path / "clip.mkv"
    write_clip(str(clip), seconds=2)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    frames, _ = await played(clip, rate=10)
    assert 5 <= len(frames) <= 18


async def test_damaged_packets_are_counted(tmp_path: Path) -> None:
    """Bytes overwritten in the middle cost pictures, not the recording."""
    clip = tmp_path / "clip.mkv"
    write_clip(str(clip), seconds=2)
    data = bytearray(clip.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    clip.write_bytes(bytes(data))
    frames, _ = await played(clip, rate=10)
    assert len(frames) >= 8


async def test_playlist_cannot_leave_the_disk(tmp_path: Path) -> None:
    """A playlist on disk that points to the network is refused, not fetched."""
    asked: list[str] = []

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode())
        writer.close()

    async with await asyncio.start_server(server, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        playlist = tmp_path / "list.m3u8"
        playlist.write_text(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n"
        )
        with pytest.raises(FileError):
            await played(playlist)
    assert asked == []


def test_addresses_are_shown_without_secrets() -> None:
    """User name and password of an address stay out of messages."""
    assert shown("rtsp://user:pass@camera:554/live") == "rtsp://camera:554/live"
    assert shown("/films/a@b.mp4") == "/films/a@b.mp4"


async def test_real_recording() -> None:
    """A real talking head in H.264 with sound plays whole."""
    frames, replay = await played(sample("pexels_woman"))
    assert replay.facts is not None
    assert replay.facts.duration_s is not None
    assert len(frames) == pytest.approx(replay.facts.duration_s * 5, abs=2)
    assert replay.counts.sounds > 0
