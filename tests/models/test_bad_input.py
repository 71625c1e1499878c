# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong with what a user brings, one line says what it is, and nothing is spoilt."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models import compare, evaluate, export, registry, train
from models.data.batches import BatchStream, Shape
from models.data.crops import load_footage, read_index
from models.data.licences import learnt_despite, refuse_forbidden
from models.errors import DataError, ModelError, TrainingError, WeightsError
from models.learning.checkpoint import restore
from models.learning.recipe import Recipe
from models.learning.trainer import Trainer
from tests.fakes.drawn_faces import drawn_footage, write_crops

ROW = {"path": "train/real/1.mp4", "split": "train", "label": "real", "licence": "CC0 1.0"}


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def _columns(file: Path, keep: set[str]) -> None:
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    with file.open("w", newline="") as lines:
        table = csv.DictWriter(lines, sorted(keep), extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    """With the command that fills it."""
    with pytest.raises(DataError, match="export the footage first"):
        read_index(tmp_path / "train.csv")


def test_clips_without_a_face_are_passed_over(tmp_path: Path) -> None:
    """The export lists them without crops; footage that has none at all is refused."""
    write_crops(tmp_path, [drawn_footage(2, 1), drawn_footage(2, 2)])
    index = tmp_path / "train.csv"
    index.write_text(index.read_text().replace("train/1.npz", "", 1))
    assert [one.identity for one in load_footage(tmp_path, "train", for_training=True)] == ["person:1"]
    index.write_text(index.read_text().replace("train/0.npz", "", 1))
    with pytest.raises(DataError, match="no crops"):
        load_footage(tmp_path, "train", for_training=True)


@pytest.mark.parametrize("damage", ["cut", "emptied", "missing"])
def test_damaged_crops_are_named(damage: str, tmp_path: Path) -> None:
    """The file that is to be exported again."""
    write_crops(tmp_path, [drawn_footage(2, 1)])
    file = tmp_path / "train" / "0.npz"
    content = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    with pytest.raises(DataError, match=r"0\.npz.*export it again"):
        load_footage(tmp_path, "train", for_training=True)


@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
def test_crops_of_another_type_or_range_are_refused(dtype: type, tmp_path: Path) -> None:
    """Pictures are bytes, 0 to 255; floats from 0 to 1 would be taken for black."""
    write_crops(tmp_path, [drawn_footage(2, 1)])
    file = tmp_path / "train" / "0.npz"
    with np.load(file) as stored:
        arrays = dict(stored)
    np.savez(file, **(arrays | {"rgb": arrays["rgb"].astype(dtype) / dtype(255)}))
    with pytest.raises(DataError, match="export it again"):
        load_footage(tmp_path, "train", for_training=True)


def test_crops_smaller_than_the_network_takes_are_refused(tmp_path: Path) -> None:
    """Enlarging them would draw what no camera saw."""
    write_crops(tmp_path, [drawn_footage(1, 1)])
    with pytest.raises(DataError, match="export them again"):
        load_footage(tmp_path, "train", for_training=True, crop_px=400)


def test_labels_without_a_licence_column_are_refused(tmp_path: Path) -> None:
    """What nobody stated is not allowed."""
    write_crops(tmp_path, [drawn_footage(1, 1)])
    _columns(tmp_path / "train.csv", {"id", "file", "path", "split", "label", "identity"})
    with pytest.raises(DataError, match="no column licence"):
        load_footage(tmp_path, "train", for_training=True)


def test_a_forbidden_licence_is_refused_until_it_is_allowed_by_name() -> None:
    """One allowed licence does not allow another, and the card says what was learnt from all the same."""
    rows = [ROW, ROW | {"licence": "CC BY-NC 4.0"}, ROW | {"licence": ""}]
    with pytest.raises(DataError, match="--allow-licence"):
        refuse_forbidden(rows[:2], "train")
    refuse_forbidden(rows[:2], "train", ["cc by-nc  4.0"])
    with pytest.raises(DataError, match="''"):
        refuse_forbidden(rows, "train", ["CC BY-NC 4.0"])
    refuse_forbidden(rows, "train", ["CC BY-NC 4.0", ""])
    said = learnt_despite(rows)
    assert "CC BY-NC 4.0: 1 files" in said
    assert "no licence: 1 files" in said
    assert learnt_despite(rows[:1]) == ""


def test_no_switch_lets_validation_footage_or_fakes_be_learnt_from() -> None:
    """Allowing a licence allows nothing else."""
    for change in ({"split": "val"}, {"label": "swap"}):
        with pytest.raises(DataError, match="real faces only"):
            refuse_forbidden([ROW | change], "train", [ROW["licence"]])


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut off"])
def test_a_damaged_checkpoint_cannot_be_exported(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, one line, and no model is written."""
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(content)
    assert export.main([str(file), "own", "--folder", str(tmp_path / "weights")]) == 1
    assert "is no checkpoint" in _said(capsys)
    assert not (tmp_path / "weights").exists()


def test_a_checkpoint_of_another_network_cannot_be_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor one that is not there."""
    file = tmp_path / "checkpoint.pt"
    torch.save({"average": {"a": torch.zeros(1)}, "recipe": {"crop_px": 112}}, file)
    assert export.main([str(file), "own", "--folder", str(tmp_path / "weights")]) == 1
    assert "another network" in _said(capsys)
    assert export.main([str(tmp_path / "none.pt"), "own", "--folder", str(tmp_path / "weights")]) == 1
    assert "there is no checkpoint" in _said(capsys)


@pytest.mark.parametrize("name", ["a/b", "../out", ""])
def test_a_model_is_not_written_outside_its_folder(name: str, tmp_path: Path) -> None:
    """A name is a plain file name."""
    with pytest.raises(WeightsError, match="plain file name"):
        export.write_entry(tmp_path / "weights", name, b"", export.UNCALIBRATED, 112)
    assert list(tmp_path.iterdir()) == []


def test_exporting_keeps_the_other_models_of_the_folder(tmp_path: Path) -> None:
    """Rolling back needs them."""
    weights = (registry.WEIGHTS / registry.entry().file).read_bytes()
    for name in ("first", "second"):
        export.write_entry(tmp_path, name, weights, export.UNCALIBRATED, 112, trained_on='calls of "our" office')
    assert list(registry.read_manifest(tmp_path)) == ["first", "second"]
    assert registry.entry(str(tmp_path / "second")).trained_on == 'calls of "our" office'
    assert registry.load(str(tmp_path / "first"), accelerated=False).identity.name == "first"


@pytest.mark.parametrize("line", ["no json", json.dumps({"path": "a"}), "[]"])
def test_damaged_predictions_end_with_one_line(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For the report and for a comparison."""
    file = tmp_path / "said.jsonl"
    file.write_text(line + "\n")
    assert evaluate.main(["--predictions", str(file)]) == 1
    assert "cannot be read as predictions" in _said(capsys)
    assert compare.main([str(file), str(file)]) == 1
    assert "cannot be read as predictions" in _said(capsys)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut off"])
def test_a_damaged_checkpoint_does_not_go_on(content: bytes, tmp_path: Path) -> None:
    """The run says which file it is; nothing of it is overwritten."""
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(content)
    network = torch.nn.Linear(1, 1)
    with pytest.raises(ModelError, match="cannot be read as a checkpoint"):
        restore(file, network, None, torch.optim.SGD(network.parameters()))  # type: ignore[arg-type]
    assert file.read_bytes() == content


def test_a_gradient_that_is_no_number_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A finite loss may have one; the weights stay as they were."""
    trainer = Trainer(dataclasses.replace(Recipe(), crop_px=112))
    before = trainer.network.still.weight.detach().clone()
    trainer.network.still.weight.register_hook(lambda gradient: gradient * float("nan"))
    batch = BatchStream([drawn_footage(2, 1), drawn_footage(2, 2)], (Shape(1, 1, films=True),), 5).batch(0)
    with pytest.raises(TrainingError, match="a gradient is not a number"):
        trainer.step(batch)
    assert torch.equal(trainer.network.still.weight, before)
    assert trainer.progress.step == 0


def test_training_obeys_the_licences_and_names_a_missing_backbone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused first; allowed by name, the next thing that is missing is said. Exit 1 and one line both times."""
    write_crops(tmp_path, [drawn_footage(2, seed, licence="own contract, research") for seed in range(3)])
    given = [str(tmp_path), str(tmp_path / "run"), "--backbone", str(tmp_path / "none.pth"), "--crop-px", "112"]
    assert train.main(given) == 1
    assert "--allow-licence" in _said(capsys)
    assert train.main([*given, "--allow-licence", "own contract, research"]) == 1
    assert "ImageNet weights cannot be read" in _said(capsys)
