# SPDX-License-Identifier: Apache-2.0
"""Labelled films in, the same as received in a call out: real rates, real losses, and the labels with them."""

import csv
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av import VideoFrame

from models.data.call import Call, Received, deliver
from models.data.network import Network
from models.data.people import for_calibration
from models.errors import DataError
from models.transcode import main, transcode
from tests.fakes.drawn_faces import drawn_footage, write_crops

CLIP_PX = 240
FPS = 25
COLUMNS = ("path", "split", "label", "identity", "licence", "view")


def _film(file: Path, seconds: float = 3.0, grain: float = 12.0) -> None:
    """A face-like disc that sways over textured ground with film grain: every frame costs bits."""
    rng = np.random.default_rng(1)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (CLIP_PX, CLIP_PX, 3)).astype(np.uint8), (0, 0), 1.5)
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as film:
        stream = film.add_stream("libx264", FPS, options={"crf": "14", "preset": "ultrafast"})
        stream.width = stream.height = CLIP_PX
        stream.pix_fmt = "yuv420p"
        for count in range(round(seconds * FPS)):
            picture = ground.copy()
            cv2.circle(picture, (120 + round(20 * np.sin(count / 4)), 120), 60, (200, 160, 140), -1)
            grained = np.clip(picture + rng.normal(0, grain, picture.shape), 0, 255).astype(np.uint8)
            frame = VideoFrame.from_ndarray(grained, format="rgb24")
            frame.pts, frame.time_base = count, Fraction(1, FPS)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def _labels(folder: Path, rows: list[dict[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="") as lines:
        table = csv.DictWriter(lines, COLUMNS)
        table.writeheader()
        table.writerows({"split": "val", "label": "real", "licence": "MIT", "view": "crop"} | row for row in rows)


def _times(file: Path) -> list[float]:
    with av.open(str(file)) as film:
        return [float(frame.time or 0.0) for frame in film.decode(video=0)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One film for all tests here."""
    file = tmp_path_factory.mktemp("films") / "one.mp4"
    _film(file)
    return file


@pytest.mark.parametrize(("codec", "height", "kbps"), [("vp8", 360, 300), ("h264", 360, 300), ("vp8", 180, 100)])
def test_the_bitrate_is_met(codec: str, height: int, kbps: int, film: Path, tmp_path: Path) -> None:
    """Within a third, on a film that would take more; the picture is 16:9 of the height asked for."""
    received = deliver(film, tmp_path / "out.mkv", Call(height, kbps, codec), None, seed=1)
    assert kbps * 0.67 < received.kbps < kbps * 1.33
    assert received.taken == 75
    assert received.keyframes == 1
    with av.open(str(tmp_path / "out.mkv")) as stored:
        stream = stored.streams.video[0]
        assert (stream.width, stream.height) == (height * 16 // 9, height)
        assert sum(1 for _ in stored.decode(video=0)) == received.shown == received.sent


def test_the_same_seed_gives_the_same_bytes(film: Path, tmp_path: Path) -> None:
    """Encoder, losses and keyframes: nothing depends on the clock."""
    call = Call(180, 100, network=Network(0.1))
    first = deliver(film, tmp_path / "1.mkv", call, None, seed=4)
    again = deliver(film, tmp_path / "2.mkv", call, None, seed=4)
    other = deliver(film, tmp_path / "3.mkv", call, None, seed=5)
    assert first == again != other
    with av.open(str(tmp_path / "1.mkv")) as one, av.open(str(tmp_path / "2.mkv")) as two:
        assert [bytes(packet) for packet in one.demux(video=0)] == [bytes(packet) for packet in two.demux(video=0)]


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_loss_freezes_and_a_keyframe_recovers(codec: str, film: Path, tmp_path: Path) -> None:
    """The received file has gaps of at least a round trip, decodes without error, and goes on after each."""
    call = Call(360, 300, codec, network=Network(0.05))
    received = deliver(film, tmp_path / "out.mkv", call, None, seed=2)
    times = _times(tmp_path / "out.mkv")
    gaps = np.diff(times)
    assert len(times) == received.shown < received.taken
    assert received.keyframes > 1
    assert gaps.max() >= call.network.round_trip_s
    assert (gaps > 0).all()
    after = np.flatnonzero(gaps > 0.1)
    assert len(times) > after[0] + 2
    with av.open(str(tmp_path / "out.mkv")) as stored:
        assert all(frame.key_frame for index, frame in enumerate(stored.decode(video=0)) if index - 1 in set(after))


def test_the_face_is_a_third_of_the_height_and_the_room_is_still(film: Path, tmp_path: Path) -> None:
    """A disc of 120 px, said to be the face, becomes 60 px at 180p; the corner does not move."""
    deliver(film, tmp_path / "out.mkv", Call(180, 2000), 120.0, seed=1)
    with av.open(str(tmp_path / "out.mkv")) as stored:
        pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in stored.decode(video=0)]).astype(float)
    skin = np.abs(pictures[0] - (200, 160, 140)).max(axis=2) < 25
    rows = np.flatnonzero(skin[:, 150:170].mean(axis=1) > 0.5)
    assert 54 <= rows[-1] - rows[0] + 1 <= 66
    assert pictures[5:, :30, :30].std(axis=0).mean() < 1.0
    assert pictures[5:, 80:100, 130:190].std(axis=0).mean() > 3.0


def test_the_frame_rate_can_be_lower(film: Path, tmp_path: Path) -> None:
    """Ten of twenty-five frames a second, on the film's own times."""
    received = deliver(film, tmp_path / "out.mkv", Call(180, 200, most_fps=10.0), None, seed=1)
    assert received.taken == 30
    assert np.diff(_times(tmp_path / "out.mkv")).mean() == pytest.approx(0.1, abs=0.01)


def test_labels_follow_and_bad_films_do_not_stop_the_others(film: Path, tmp_path: Path) -> None:
    """Every column stays, the condition is added; stills and whole frames are left out; a broken file is told."""
    data, out = tmp_path / "data", tmp_path / "out"
    (data / "val").mkdir(parents=True)
    (data / "val/good.mp4").write_bytes(film.read_bytes())
    (data / "val/broken.mp4").write_bytes(b"this is no film")
    rows = [{"path": f"val/{name}", "identity": name} for name in ("good.mp4", "broken.mp4", "still.jpg", "gone.mp4")]
    _labels(data, [*rows, {"path": "val/full.mp4", "view": "full", "identity": "good.mp4"}])
    received = transcode(data, out, Call(180, 100, network=Network(0.05, retransmissions=1)), "val")
    assert set(received) == {"val/good.mp4", "val/broken.mp4", "val/gone.mp4"}
    assert received["val/good.mp4"].error == ""
    assert received["val/broken.mp4"].error
    assert received["val/gone.mp4"].error
    with (out / "labels.csv").open(newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert row["path"] == "val/good.mkv"
    assert row["licence"] == "MIT"
    assert row["condition"] == "180p 100 kbit/s 5 % loss repaired"
    assert float(row["sent_kbps"]) > 0
    assert sorted(file.name for file in out.rglob("*.mkv")) == ["good.mkv"]


def test_a_film_without_a_face_is_kept(film: Path, tmp_path: Path) -> None:
    """The export found no face in one of two films: it is taken at the usual size and delivered all the same."""
    data, crops = tmp_path / "data", tmp_path / "crops"
    paths = ["val/seen.mp4", "val/unseen.mp4"]
    for path in paths:
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_bytes(film.read_bytes())
    _labels(data, [{"path": path, "identity": path} for path in paths])
    write_crops(crops, [drawn_footage(2, path=paths[0], split="val")], "val")
    received = transcode(data, tmp_path / "out", Call(180, 100), "val", crops=crops)
    assert all(one.shown > 0 for one in received.values())


def test_people_are_chosen_by_the_halves_of_the_calibration(film: Path, tmp_path: Path) -> None:
    """Only films of the half asked for are taken."""
    data = tmp_path / "data"
    people = [f"person:{number}" for number in range(4)]
    assert len({for_calibration(one) for one in people}) == 2
    (data / "val").mkdir(parents=True)
    for one in people:
        (data / f"val/{one}.mp4").write_bytes(film.read_bytes())
    _labels(data, [{"path": f"val/{one}.mp4", "identity": one} for one in people])
    received = transcode(data, tmp_path / "out", Call(180, 60, most_fps=5.0), "val", ["calibration"])
    assert set(received) == {f"val/{one}.mp4" for one in people if for_calibration(one)}


def test_nothing_to_take_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without labels, and labels without films, say what to do and end with 1."""
    with pytest.raises(DataError, match="name the folder"):
        transcode(tmp_path, tmp_path / "out", Call(180, 100), "val")
    _labels(tmp_path, [{"path": "val/still.jpg", "identity": "somebody"}])
    with pytest.raises(DataError, match="no film of val"):
        transcode(tmp_path, tmp_path / "out", Call(180, 100), "val")
    options = ["--split", "val", "--height", "180", "--kbps", "100", "--processes", "1"]
    assert main([str(tmp_path), str(tmp_path / "out"), *options]) == 1
    assert "no film of val" in capsys.readouterr().err


def test_the_command_reports_a_broken_film(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the file, sums up the rest, and ends with 1."""
    data = tmp_path / "data"
    (data / "val").mkdir(parents=True)
    (data / "val/good.mp4").write_bytes(film.read_bytes())
    (data / "val/broken.mp4").write_bytes(b"")
    _labels(data, [{"path": f"val/{name}.mp4", "identity": name} for name in ("good", "broken")])
    options = ["--split", "val", "--height", "180", "--kbps", "100", "--processes", "1"]
    assert main([str(data), str(tmp_path / "out"), *options]) == 1
    said = capsys.readouterr().err
    assert "val/broken.mp4 could not be read" in said
    assert "2 films, 1 unreadable" in said


def test_a_connection_that_loses_everything_leaves_no_file(film: Path, tmp_path: Path) -> None:
    """Counted as a film of which nothing arrived, without an error."""
    received = deliver(film, tmp_path / "out.mkv", Call(180, 100, network=Network(1.0)), None, seed=1)
    assert received.shown == 0
    assert received.error == ""
    assert received.keyframes > 3
    assert not (tmp_path / "out.mkv").exists()
    assert Received().kbps == 0.0
