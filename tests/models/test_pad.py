# SPDX-License-Identifier: Apache-2.0
"""Twins for presentation attack detection, the small network that learns from them, its files and its figures."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.errors import DataError, WeightsError
from models.pad import store
from models.pad.__main__ import main
from models.pad.figures import calibrated, report, unlearnt
from models.pad.held import draw_held, tight
from models.pad.judging import Read, read_table, write_table
from models.pad.learn import Recipe, learn, make_batch
from models.pad.network import CLASSES, VIEW_PX, WIDE_PX, PadNetwork, attack_logit, fold, views
from models.pad.recapture import filmed, printed
from models.pad.store import Origin
from models.pad.twins import group, make_twins
from tests.fakes.drawn_faces import drawn_clip, drawn_footage, write_crops


def read(identity: str = "a", label: str = "real", level: float = 0.0, path: str = "val/real/a.mp4") -> Read:
    """Six readings of one level."""
    film = path.endswith(".mp4")
    return Read(path, label, "", identity, "owner/repo", film, (level,) * 6, (0.5,) * 6, 10.0, 100.0)


def test_twins_are_drawn_from_the_seed_alone() -> None:
    """The same seed gives the same pictures, another seed others; both are what the network takes."""
    groups = group([drawn_footage(2, seed) for seed in range(3)])
    one, again, other = (make_twins(groups, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.bona_fide.shape == one.attack.shape == (WIDE_PX, WIDE_PX, 3)
    assert one.attack.dtype == np.uint8
    assert np.array_equal(one.attack, again.attack)
    assert not np.array_equal(one.attack, other.attack)


def test_both_kinds_of_attack_are_drawn_and_differ_from_their_twins() -> None:
    """Every attack shows something that its twin does not."""
    groups = group([drawn_footage(1, seed) for seed in range(3)])
    made = [make_twins(groups, np.random.default_rng(seed)) for seed in range(24)]
    assert {CLASSES[twins.kind] for twins in made} == {"replay", "print"}
    differences = [np.abs(twins.attack.astype(int) - twins.bona_fide).mean() for twins in made]
    assert min(differences) > 1.0


def test_sharpness_does_not_tell_twins_apart() -> None:
    """What needs no learning is no shortcut: blur ranks attacks over bona fide twins no more than a little."""
    groups = group([drawn_footage(1, seed) for seed in range(4)])
    made = [make_twins(groups, np.random.default_rng(seed)) for seed in range(60)]
    sharper = [np.diff(twins.bona_fide.astype(int)).std() > np.diff(twins.attack.astype(int)).std() for twins in made]
    assert 0.2 < np.mean(sharper) < 0.85


@pytest.mark.parametrize("recapture", [filmed, printed])
def test_a_recapture_of_black_and_of_white_stays_in_range(recapture) -> None:
    """Pictures without any contrast go through as well."""
    other = drawn_clip(1, 1).rgb[0]
    for level in (0, 255):
        flat = np.full_like(other, level)
        for seed in range(4):
            seen = recapture(flat, other, np.random.default_rng(seed))
            assert seen.shape == flat.shape
            assert seen.dtype == np.uint8


def test_what_is_held_hides_the_room_behind_it_and_no_more() -> None:
    """Inside its corners the picture is seen, outside the room."""
    room = np.full((120, 120, 3), 10, np.uint8)
    shown = np.full((120, 120, 3), 250, np.uint8)
    held = draw_held(np.random.default_rng(0), room, paper=False)
    flat = replace(held, tilt=np.eye(3), corners=np.array([(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)], np.float32),
                   rim=0.05, hand=None)  # fmt: skip
    seen = flat.show(shown, room)
    assert seen[60, 60].tolist() == [250, 250, 250]
    assert seen[3, 3].tolist() == [10, 10, 10]
    assert np.allclose(seen[60, 21], held.rim_rgb, atol=1)


def test_a_tight_crop_repeats_its_edge() -> None:
    """Beyond what was seen nothing new is shown."""
    rgb = np.random.default_rng(0).integers(0, 255, (100, 100, 3)).astype(np.uint8)
    cut = tight(rgb, np.array([0.3, 0.3, 0.5, 0.5]))
    assert (cut[:, :20] == cut[:, 20:21]).all()
    assert np.array_equal(cut[:, 20:80], rgb[:, 20:80])


def test_views_are_the_whole_and_the_middle() -> None:
    """Context is halved, detail is not; anything but the contract's shape is refused."""
    wide = torch.zeros(1, WIDE_PX, WIDE_PX, 3, dtype=torch.uint8)
    wide[0, 96, 96] = 255
    seen = views(wide)
    assert seen.context.shape == seen.detail.shape == (1, 3, VIEW_PX, VIEW_PX)
    assert seen.detail[0, 0, 48, 48] == seen.detail.max()
    with pytest.raises(ValueError, match="192"):
        views(wide[:, 1:])


def test_the_network_is_small_and_its_parts_can_be_left_out() -> None:
    """Under half a million parameters; each branch judges by itself too."""
    wide = torch.randint(0, 255, (2, WIDE_PX, WIDE_PX, 3), dtype=torch.uint8)
    for seen in (("context", "detail"), ("context",), ("detail",)):
        network = PadNetwork(seen).eval()
        assert sum(value.numel() for value in network.parameters()) < 500_000
        assert attack_logit(network(wide)).shape == (2,)


def test_folding_changes_no_judgement() -> None:
    """Normalisations folded into convolutions give the same logits."""
    network = PadNetwork()
    network(torch.randint(0, 255, (4, WIDE_PX, WIDE_PX, 3), dtype=torch.uint8))
    network.eval()
    wide = torch.randint(0, 255, (2, WIDE_PX, WIDE_PX, 3), dtype=torch.uint8)
    before = network(wide)
    fold(network)
    assert torch.allclose(network(wide), before, atol=1e-4)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_few_steps_of_learning_tell_and_lower_the_loss() -> None:
    """Learning ends after its passes; the loss falls; the figures are of people held out."""
    people = [drawn_footage(1, seed, identity=f"p{seed}") for seed in range(4)]
    told: list[dict[str, float]] = []
    recipe = replace(Recipe(), pairs=12, passes=6, batch_pairs=6, checks=1)
    network = learn(people[:3], people[3:], recipe, lambda figures, _: told.append(figures))
    assert [row["step"] for row in told] == [2, 4, 6, 8, 10, 12]
    assert told[-1]["loss"] < told[0]["loss"]
    assert 0.0 <= told[-1]["auc"] <= 1.0
    assert not network.training


def test_a_batch_holds_twins_in_order() -> None:
    """Bona fide pictures first, then their attacks, each with its kind."""
    batch = make_batch([drawn_footage(1, 0), drawn_footage(1, 1)], 3, (0,))
    assert batch.wide.shape == (6, WIDE_PX, WIDE_PX, 3)
    assert batch.kinds[:3].tolist() == [0, 0, 0]
    assert set(batch.kinds[3:].tolist()) <= {1, 2}


def test_the_origin_lies_above_everybody_seen_and_above_the_bound() -> None:
    """Five levels among ten people: never lower than the highest, wider for few people; fewer than ten are refused."""
    reads = [read(f"p{number}", level=number / 10) for number in range(10)]
    origin = calibrated(reads)
    assert origin.people == 10
    assert origin.minutes == 1.0
    assert origin.origin > 0.9 + 0.3
    with pytest.raises(DataError, match="too few"):
        calibrated(reads[:9])


def test_people_learnt_from_set_no_origin() -> None:
    """Of the training split only those held out count, and no picture."""
    reads = [read(f"t{number}", path=f"train/real/{number}.mp4") for number in range(50)]
    kept = unlearnt([*reads, read(path="val/real_images/a.jpg"), read(label="replay")], 0.2)
    assert 0 < len(kept) < 25


def test_the_report_ranks_films_and_pictures_apart() -> None:
    """Attacks above bona fide files give an AUC of 1, errors are counted at the origin."""
    reads = [read(f"r{number}", level=-1.0) for number in range(4)]
    reads += [read(f"f{number}", "replay", 3.0, "val/replay/a.mp4") for number in range(3)]
    reads += [read("one", label, level, "val/images/a.jpg") for label, level in (("real", -1.0), ("replay", 2.0))]
    text = report(reads, Origin(1.0, 0.5, 20, 3.0))
    assert "| replay, films | 3 (3) | 4 (4) | 1.00 [1.00, 1.00] |" in text
    assert "| replay, pictures of owner/repo | 1 (1) | 1 (1) | 1.000 |" in text
    assert "| replay, films | 3 | 3 | 1.00" in text


def test_a_table_of_readings_comes_back_as_it_was(tmp_path: Path) -> None:
    """Written and read again; another file is refused."""
    file = tmp_path / "val.jsonl"
    write_table(file, [read("a"), read("b", level=1.5)])
    assert read_table(file) == [read("a"), read("b", level=1.5)]
    file.write_text('{"path": 1}\n')
    with pytest.raises(DataError, match="no table"):
        read_table(file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files that a test may spoil."""
    return Path(shutil.copytree(store.FOLDER, tmp_path / "pad"))


def test_the_shipped_network_keeps_its_contract() -> None:
    """Black, grey and white pictures give finite readings; its entry says what it is."""
    detector = store.load()
    for level in (0, 128, 255):
        judged = detector.judge(np.full((WIDE_PX, WIDE_PX, 3), level, np.uint8))
        assert np.isfinite(judged.logit)
        assert 0.0 <= judged.replay_share <= 1.0
    assert detector.origin.people >= 10


@pytest.mark.parametrize("file", ["pad.safetensors", "pad.calibration.json"])
def test_an_altered_file_is_refused(folder: Path, file: str) -> None:
    """One byte more is another file."""
    (folder / file).write_bytes((folder / file).read_bytes() + b" ")
    with pytest.raises(WeightsError, match="altered"):
        store.load(folder)


def test_another_contract_is_refused(folder: Path) -> None:
    """Pictures cut otherwise would be judged wrongly."""
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text().replace("margin1.95", "margin2.70"))
    with pytest.raises(WeightsError, match=r"margin2\.70"):
        store.load(folder)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_learning_judging_and_releasing_are_one_chain(tmp_path: Path) -> None:
    """From exported crops to files that load; the readings hold one line for each file."""
    crops, run, out = tmp_path / "crops", tmp_path / "run", tmp_path / "pad"
    people = [drawn_footage(2, seed, identity=f"p{seed}", path=f"train/{seed}.mp4") for seed in range(3)]
    write_crops(crops, people)
    assert main(["learn", str(crops), str(run), "--pairs", "25", "--passes", "1"]) == 0
    assert len((run / "log.jsonl").read_text().splitlines()) == 1
    assert main(["judge", str(crops), "train", str(run), str(tmp_path / "train.jsonl")]) == 0
    assert len(read_table(tmp_path / "train.jsonl")) == 3
    store.write(load_file(run / "network.safetensors"), Origin(1.0, 0.5, 20, 3.0), out)
    assert np.isfinite(store.load(out).judge(np.zeros((WIDE_PX, WIDE_PX, 3), np.uint8)).logit)
    assert json.loads((out / "pad.calibration.json").read_text())["people"] == 20


def test_a_step_out_of_order_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Judging before learning ends with one line and exit code 1."""
    write_crops(tmp_path, [drawn_footage(1, 0)])
    assert main(["judge", str(tmp_path), "train", str(tmp_path / "none"), str(tmp_path / "t.jsonl")]) == 1
    assert "learn first" in capsys.readouterr().err
