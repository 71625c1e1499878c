# SPDX-License-Identifier: Apache-2.0
"""The export: crops exactly as at run time, with landmarks that fit, an index, and honest counts."""

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from monitor.config import FacesSettings
from monitor.export import CROP_PX, border_px, export, main, pictures
from monitor.faces.finder import FaceFinder
from monitor.values import Frame
from tests.faces.footage import rgb_at
from tests.fakes.media import data_root, sample

COLUMNS = ("path", "split", "label", "method", "identity", "repo", "pair", "view")


@pytest.fixture
def footage(tmp_path) -> Path:
    """A small labelled folder: a film, a portrait, a wall, and a file that is none."""
    data = tmp_path / "data"
    (data / "train").mkdir(parents=True)
    shutil.copy(sample("selfie_man"), data / "train/film.mp4")
    for name, rgb in (("portrait", rgb_at("cap12", 50)), ("wall", np.full((80, 80, 3), 120, np.uint8))):
        cv2.imwrite(str(data / f"train/{name}.jpg"), rgb[:, :, ::-1])
    (data / "train/broken.mp4").write_bytes(b"no film")
    rows = [(f"train/{name}", "crop") for name in ("film.mp4", "portrait.jpg", "wall.jpg", "broken.mp4")]
    with (data / "labels.csv").open("w", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(COLUMNS)
        table.writerows([path, "train", "real", "", path, "repo", "", view] for path, view in rows)
        table.writerow(["val/other.mp4", "val", "swap", "", "x", "repo", "", "crop"])
        table.writerow(["train/film.mp4", "train", "real", "", "x", "repo", "", "full"])
    return data


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_middle_is_the_run_time_crop(tmp_path):
    """Pixel for pixel what a finder at work gives for the same film, and landmarks where the face is."""
    film, model = sample("selfie_man"), sample("face_landmarker")
    outcome = export(film, tmp_path / "film.npz", 10.0, model)
    stored = np.load(tmp_path / "film.npz")
    finder = FaceFinder(FacesSettings(), model, "call", "ada", CROP_PX)
    looks = [finder.look(Frame("call", "ada", media_s, 0.0, picture)) for media_s, picture in pictures(film, 10.0)]
    crops = np.stack([look.crops[0].rgb for look in looks])
    middle = slice(border_px(CROP_PX), border_px(CROP_PX) + CROP_PX)
    np.testing.assert_array_equal(stored["rgb"][:, middle, middle], crops)
    assert stored["rgb"].shape == (outcome.written, 192, 192, 3)
    assert stored["points"].shape == (outcome.written, 478, 2)
    assert stored["points"].dtype == np.float32
    assert (stored["points"] > border_px(CROP_PX)).all()
    assert (stored["points"] < border_px(CROP_PX) + CROP_PX).all()
    np.testing.assert_allclose(np.diff(stored["media_s"]), 0.1, atol=0.02)
    for name in ("media_s", "face_px", "sharpness"):
        assert stored[name].dtype == np.float32
        assert stored[name].shape == (outcome.written,)


@pytest.mark.parametrize("frames_per_s", [2, 5, 10])
def test_frames_keep_the_asked_rate_on_the_films_own_clock(frames_per_s):
    """25 frames a second are thinned out to the rate asked for, though it does not divide 25."""
    times = [media_s for media_s, _ in pictures(sample("cap12"), frames_per_s)]
    assert len(times) / times[-1] == pytest.approx(frames_per_s, rel=0.02)
    assert max(np.diff(times)) < 1 / frames_per_s + 0.05


def test_faces_below_the_limit_are_written_with_their_size(tmp_path):
    """Training sees small faces too; the reasons say that the run time would refuse them."""
    outcome = export(sample("carphone"), tmp_path / "car.npz", 5.0, sample("face_landmarker"))
    stored = np.load(tmp_path / "car.npz")
    assert outcome.written == outcome.looked
    assert (stored["face_px"] < 64).all()
    assert all("too_small" in words for words in stored["reasons"])


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_split_is_exported_with_index_and_counts(footage, tmp_path, capsys):
    """Every file of the split has a row; broken and empty files are counted, whole-frame copies left out."""
    out = tmp_path / "out"
    model = str(sample("face_landmarker"))
    assert main([str(footage), str(out), "--split", "train", "--fps", "5", "--model", model]) == 1
    with (out / "train.csv").open(newline="") as lines:
        rows = {row["id"]: row for row in csv.DictReader(lines)}
    assert set(rows) == {"train_film", "train_portrait", "train_wall", "train_broken"}
    assert rows["train_portrait"]["written"] == "1"
    assert rows["train_wall"]["file"] == ""
    assert rows["train_broken"]["error"]
    assert rows["train_film"]["identity"] == "train/film.mp4"
    assert np.load(out / rows["train_film"]["file"])["rgb"].shape[1:] == (192, 192, 3)
    told = capsys.readouterr()
    assert told.out == ""
    assert "train real: 4 files" in told.err
    assert "1 unreadable" in told.err


@pytest.mark.footage
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_bona_fide_footage_is_hardly_refused(tmp_path):
    """The gate lets genuine faces pass: of sixteen labelled real films nearly every crop may be judged."""
    root = data_root()
    films = sorted((root / "train/real").glob("*.mp4"))[::6]
    refused = written = 0
    for film in films:
        export(film, tmp_path / "film.npz", 1.0, sample("face_landmarker"))
        reasons = np.load(tmp_path / "film.npz")["reasons"]
        refused, written = refused + sum(words != "" for words in reasons), written + len(reasons)
    assert written > 50
    assert refused / written < 0.02
