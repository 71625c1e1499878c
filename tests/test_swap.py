# SPDX-License-Identifier: Apache-2.0
"""The demo's forger: the face changes, everything else stays, twice the same, and bad films are named."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from monitor.errors import AssetError, FileError
from monitor.faces.landmarker import shared
from monitor.swap import Face, best_face, forge, freeze, reencode, swap_face
from tests.faces.footage import rgb_at
from tests.fakes.media import sample

_CORNERS = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]])
"""Left, top, width, height to left, top, right, bottom."""


def short(source: Path, target: Path, seconds: float) -> Path:
    """Copy the beginning of a film without coding it anew, sound included."""
    with av.open(str(source)) as whole, av.open(str(target), "w") as part:
        streams = {stream.index: part.add_stream_from_template(stream) for stream in whole.streams}
        for packet in whole.demux():
            if packet.dts is not None and float(packet.dts * packet.time_base) < seconds:
                packet.stream = streams[packet.stream.index]
                part.mux(packet)
    return target


@pytest.fixture
def woman(tmp_path) -> Path:
    """Two seconds of a woman, with sound."""
    return short(sample("pexels_woman"), tmp_path / "woman.mp4", 2.0)


def frames(film: Path) -> list[tuple[float, np.ndarray]]:
    """All frames with their times."""
    with av.open(str(film)) as container:
        return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def sound(film: Path) -> list[bytes]:
    """All sound packets as they lie in the film."""
    with av.open(str(film)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def face_at(name: str, index: int) -> Face:
    """The face in one frame of a sample film."""
    rgb = rgb_at(name, index)
    (found,) = shared(sample("face_landmarker"), 1).find(rgb)
    return Face(rgb, found.points)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlate two pictures."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_a_still_pair_is_swapped_inside_the_face_only():
    """The donor's face lies on the target's, in its pose; beyond its box no pixel changes."""
    target, donor = face_at("pexels_woman", 420), face_at("selfie_man", 20)
    swapped = swap_face(target.rgb, target.points, donor)
    changed = np.abs(swapped.astype(int) - target.rgb).max(axis=2) > 0
    left, top, right, bottom = cv2.boundingRect(np.ascontiguousarray(target.points[:468, :2])) @ _CORNERS
    inside = np.zeros(changed.shape, bool)
    inside[max(top, 0) : bottom, max(left, 0) : right] = True
    assert not changed[~inside].any()
    assert changed[inside].mean() > 0.5
    found = shared(sample("face_landmarker"), 1).find(swapped)[0].points
    side = np.ptp(target.points[:468, 1])
    assert np.abs(found[:468, :2] - target.points[:468, :2]).mean() < 0.04 * side


def test_a_face_put_on_itself_changes_little():
    """The warp is exact and the blending seamless: the same face stays the same picture."""
    target = face_at("pexels_woman", 420)
    swapped = swap_face(target.rgb, target.points, target)
    assert np.abs(swapped.astype(int) - target.rgb).mean() < 1.0
    assert likeness(swapped, target.rgb) > 0.995


@pytest.mark.parametrize("shift", [(-300, 0), (0, -150), (250, 150), (5000, 5000)])
def test_a_face_over_the_edge_is_survived(shift):
    """A target that leaves the picture is swapped as far as it is there."""
    target, donor = face_at("pexels_woman", 420), face_at("selfie_man", 20)
    points = target.points.copy()
    points[:, :2] += shift
    assert swap_face(target.rgb, points, donor).shape == target.rgb.shape


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_best_face_looks_into_the_camera():
    """Of the film with strong expressions a frontal face with open eyes is chosen."""
    landmarker = shared(sample("face_landmarker"), 1)
    chosen = best_face(sample("pexels_woman"), landmarker)
    shapes = landmarker.find(chosen.rgb)[0].blendshapes
    assert max(shapes["eyeBlinkLeft"], shapes["eyeBlinkRight"]) < 0.4
    assert shapes["jawOpen"] < 0.3


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_forged_and_genuine_twin_differ_in_the_face_alone(woman, tmp_path):
    """Size, rate, timestamps, sound and codec are the target's or the twin's; the picture differs where the face is."""
    forged, genuine, told = tmp_path / "forged.mp4", tmp_path / "genuine.mp4", []
    forge(woman, sample("selfie_man"), forged, sample("face_landmarker"), told.append)
    reencode(woman, genuine)
    original, real, fake = frames(woman), frames(genuine), frames(forged)
    assert [time for time, _ in real] == pytest.approx([time for time, _ in original])
    assert [time for time, _ in fake] == pytest.approx([time for time, _ in original])
    assert sound(forged) == sound(genuine) == sound(woman)
    assert fake[0][1].shape == original[0][1].shape
    assert likeness(real[10][1], original[10][1]) > 0.99
    difference = np.abs(fake[10][1].astype(int) - real[10][1]).max(axis=2)
    (found,) = shared(sample("face_landmarker"), 1).find(real[10][1])
    hull = cv2.convexHull(np.ascontiguousarray(found.points[:468, :2])).astype(np.int32)
    inside = cv2.fillConvexPoly(np.zeros(difference.shape, np.uint8), hull, 1) > 0
    assert difference[inside].mean() > 4 * difference[~inside].mean()
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_forging_twice_gives_the_same_film(tmp_path):
    """The same input, the same bytes of picture."""
    film = short(sample("pexels_woman"), tmp_path / "second.mp4", 0.4)
    for name in ("one.mp4", "two.mp4"):
        forge(film, sample("selfie_man"), tmp_path / name, sample("face_landmarker"))
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def plain(target: Path, size: tuple[int, int] = (64, 48)) -> Path:
    """A film that shows nobody."""
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = *size, "yuv444p" if size[0] % 2 else "yuv420p"
        for _ in range(5):
            grey = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(grey))
        container.mux(stream.encode(None))
    return target


def test_a_film_of_odd_size_loses_a_line_and_keeps_its_frames(tmp_path):
    """4:2:0 needs even sides."""
    reencode(plain(tmp_path / "odd.mp4", (63, 47)), tmp_path / "even.mp4")
    shown = frames(tmp_path / "even.mp4")
    assert len(shown) == 5
    assert shown[0][1].shape == (46, 62, 3)


def test_a_film_without_a_face_is_named(woman, tmp_path):
    """Neither target nor second film may be empty of faces."""
    model, empty = sample("face_landmarker"), plain(tmp_path / "empty.mp4")
    with pytest.raises(FileError, match=r"empty\.mp4"):
        forge(woman, empty, tmp_path / "out.mp4", model)
    with pytest.raises(FileError, match=r"empty\.mp4"):
        forge(empty, sample("selfie_man"), tmp_path / "out.mp4", model)


def test_a_film_that_cannot_be_read_is_named(woman, tmp_path):
    """Missing, garbage and sound only."""
    garbage = tmp_path / "garbage.mp4"
    garbage.write_bytes(b"not a film" * 100)
    silent = tmp_path / "sound.mp4"
    with av.open(str(woman)) as whole, av.open(str(silent), "w") as part:
        stream = part.add_stream_from_template(whole.streams.audio[0])
        for packet in whole.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                part.mux(packet)
    for film in (tmp_path / "absent.mp4", garbage, silent):
        with pytest.raises(FileError, match=film.name):
            reencode(film, tmp_path / "out.mp4")


def test_without_the_model_nothing_is_forged(woman, tmp_path):
    """The model is asked for before anything is written."""
    with pytest.raises(AssetError):
        forge(woman, woman, tmp_path / "out.mp4", tmp_path / "absent.task")
    assert not (tmp_path / "out.mp4").exists()


def test_a_stuck_camera_shows_one_picture_for_as_long_as_asked(tmp_path):
    """Every picture of the still is the first one of the film, at the film's rate and size."""
    film = sample("pexels_woman")
    freeze(film, tmp_path / "stuck.mp4", 2.0)
    with av.open(str(film)) as source, av.open(str(tmp_path / "stuck.mp4")) as stuck:
        first = next(source.decode(video=0)).to_ndarray(format="gray").astype(np.int16)
        shown = [frame.to_ndarray(format="gray").astype(np.int16) for frame in stuck.decode(video=0)]
        rate = float(source.streams.video[0].average_rate)
    assert len(shown) == pytest.approx(2.0 * rate, abs=1)
    assert max(np.abs(picture - first).mean() for picture in shown) < 4.0
