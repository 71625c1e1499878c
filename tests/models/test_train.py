# SPDX-License-Identifier: Apache-2.0
"""Training learns, stops when it must, and goes on where it was."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models import registry, train
from models.calibration import Calibration
from models.data.batches import Batch, BatchStream, Shape
from models.errors import ModelError, TrainingError
from models.export import pack, write_entry
from models.learning.loss import _tail_loss, paired_loss
from models.learning.recipe import FROM_IMAGENET, FULL, Recipe
from models.learning.trainer import Trainer, look
from models.networks.stream import ClipOutput, StreamNetwork
from models.train import main
from tests.fakes.drawn_faces import drawn_footage, write_crops

RECIPE = dataclasses.replace(Recipe(), crop_px=112, steps=400, warm_up_steps=2, head_rate=1e-3, average_decay=0.5)


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Two drawn people, two frames each."""
    people = [drawn_footage(2, 1), drawn_footage(2, 2)]
    return BatchStream(people, (Shape(2, 2, films=True),), 5).batch(0)


def _output(real: float, fake: float) -> ClipOutput:
    logit = torch.tensor([[real], [fake]])
    empty = (torch.zeros(2, 1, 14, 14), torch.zeros(2, 1, 6), torch.zeros(2, 1, 4), torch.zeros(2, 1, 128))
    return ClipOutput(logit, logit, *empty)


def _batch(kind: str = "mouth") -> Batch:
    clips = torch.zeros(2, 1, 112, 112, 3, dtype=torch.uint8)
    return Batch(clips, torch.zeros(1, 1, 14, 14), torch.tensor([1]), torch.zeros(1, 4), (kind,))


def test_loss_prefers_the_twin_above_its_original() -> None:
    """A forged twin above its original costs less than the other way round, in both parts."""
    right, wrong = (paired_loss(_output(*logits), _batch(), Recipe()) for logits in ((-2.0, 2.0), (2.0, -2.0)))
    assert right.total < wrong.total
    assert right.label < wrong.label
    assert right.rank < wrong.rank
    high = paired_loss(_output(4.0, 6.0), _batch(), Recipe())
    assert high.rank < paired_loss(_output(-1.0, 0.5), _batch(), Recipe()).rank


def test_the_worst_bona_fide_person_counts_most() -> None:
    """Of two batches with the same mean, the one in which a bona fide person looks forged costs more in the tail."""
    forged = torch.tensor([1.0, 1.0])
    even, uneven = (_tail_loss(torch.cat((torch.tensor(real), forged))) for real in ([-1.0, -1.0], [-4.0, 2.0]))
    assert float(uneven) > float(even) + 1.0


def test_an_unknown_boundary_is_not_learnt_from() -> None:
    """Where another maker's forgery blends is not known: only the real twin's map, empty, counts."""
    output = _output(-2.0, 2.0)
    output.boundary[1] = 5.0
    own, foreign = (paired_loss(output, _batch(kind), Recipe()).boundary for kind in ("mouth", "open:GHOST"))
    assert float(own) > 2.0
    assert float(foreign) == pytest.approx(
        float(paired_loss(_output(-2.0, 2.0), _batch(), Recipe()).boundary), rel=1e-4
    )


def test_the_kind_of_attack_and_the_quality_are_learnt() -> None:
    """Naming the right kind and the right quality costs less."""
    right, wrong = _output(-2.0, 2.0), _output(-2.0, 2.0)
    right.attack[1, 0, 1] = wrong.attack[1, 0, 2] = 4.0
    wrong.quality[:] = 1.0
    better, worse = (paired_loss(output, _batch(), Recipe()) for output in (right, wrong))
    assert better.attack < worse.attack
    assert better.quality < worse.quality


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_frames_by_themselves_have_no_past(batch: Batch) -> None:
    """Without the temporal part every frame is judged as a track of its own."""
    network = StreamNetwork(112).eval()
    torch.nn.init.normal_(network.moving.weight, std=0.1)
    with torch.inference_mode():
        whole, single = (look(network, batch.clips, temporal=temporal).logit for temporal in (True, False))
        alone = look(network, batch.clips[:, 1:], temporal=True).logit
    torch.testing.assert_close(single[:, 1:], alone, atol=1e-4, rtol=0)
    assert single.shape == whole.shape


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_short_run_learns_one_batch_by_heart(batch: Batch) -> None:
    """The loss falls to a fraction and the twins are told apart: gradients reach what they should."""
    trainer = Trainer(RECIPE)
    for part in trainer.network.backbone.modules():
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight)
    before = float(trainer.step(batch).label.detach())
    for _ in range(24):
        after = float(trainer.step(batch).label.detach())
    assert after < 0.5 * before
    assert trainer.check([batch])["held_out_pairs"] == 1.0


def test_a_loss_that_is_no_number_stops_the_run(batch: Batch) -> None:
    """Before the weights are spoilt."""
    trainer = Trainer(RECIPE)
    with torch.no_grad():
        trainer.network.still.weight.fill_(float("nan"))
    steps = trainer.progress.step
    with pytest.raises(TrainingError, match="not a number"):
        trainer.step(batch)
    assert trainer.progress.step == steps


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_run_that_was_cut_off_goes_on(batch: Batch, tmp_path: Path) -> None:
    """A checkpoint brings back weights, average, optimiser and progress; another network's is refused."""
    first = Trainer(RECIPE)
    first.step(batch)
    file = tmp_path / "checkpoint.pt"
    first.save(file)
    second = Trainer(dataclasses.replace(RECIPE, seed=1))
    second.restore(file)
    assert second.progress == first.progress
    for name, value in first.network.state_dict().items():
        assert torch.equal(second.network.state_dict()[name], value)
        assert torch.equal(second.average.values[name], first.average.values[name])
    state = torch.load(file, weights_only=True)
    state["network"].pop("still.weight")
    torch.save(state, file)
    with pytest.raises(TrainingError, match="another network"):
        second.restore(file)


def test_rates_rise_then_fall(batch: Batch) -> None:
    """Warm-up, then a cosine down to the least rate; time can end a run as well as steps."""
    trainer = Trainer(RECIPE, minutes=10)
    rates = []
    for step in (0, 1, 200, 390):
        trainer.progress.step = step
        trainer.set_rates()
        rates.append(trainer.optimiser.param_groups[0]["lr"])
    assert rates[0] < rates[1] > rates[2] > rates[3] > 0
    trainer.progress.spent_s = 600.0
    assert trainer.done == 1.0


@pytest.mark.parametrize(
    ("options", "recipe"),
    [
        (["--backbone", "file.pth"], FROM_IMAGENET),
        (["--from", "default"], FULL),
        (["--from", "default", "--recipe", "from-imagenet"], FROM_IMAGENET),
        (["--backbone", "file.pth", "--steps", "7"], dataclasses.replace(FROM_IMAGENET, steps=7)),
    ],
)
def test_the_recipe_follows_from_where_a_run_begins(options: list[str], recipe: Recipe) -> None:
    """ImageNet's weights learn what reached the shipped figures, trained ones every kind; both can be asked for."""
    assert train._recipe(train._options(["crops", "run", *options])) == recipe


def test_a_folder_without_crops_ends_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, what is missing and what to do, no traceback."""
    assert main([str(tmp_path), str(tmp_path / "run"), "--backbone", str(tmp_path / "none.pth")]) == 1
    assert "the footage first" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_several_processes_learn_one_network(tmp_path: Path) -> None:
    """Under torchrun every process takes batches of its own, one writes the run, and its progress is that of all."""
    write_crops(tmp_path / "crops", [drawn_footage(3, seed) for seed in range(12)])
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    run = ["models.train", str(tmp_path / "crops"), str(tmp_path / "run"), "--from", "default", "--crop-px", "32"]
    ended = subprocess.run(
        [*command, *run, "--steps", "2", "--workers", "0"],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line.get("people") for line in lines].count(None) == len(lines) - 1
    assert lines[-1]["step"] == 2
    assert 0.0 <= lines[-1]["held_out_auc"] <= 1.0


def test_trained_weights_ship_and_load(tmp_path: Path) -> None:
    """Packing to float16 keeps the logits within a hundredth, and the registry takes what was written."""
    trainer = Trainer(RECIPE)
    torch.nn.init.normal_(trainer.network.moving.weight, std=0.1)
    trainer.average.update(trainer.network, 0)
    trainer.average.values = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    write_entry(tmp_path, "made", pack(trainer.average.values), Calibration((0.0, 1.0), (1.0, 2.0), 1.0, 0.0), 112)
    registry.read_manifest.cache_clear()
    detector = registry.load("made", "cpu", tmp_path)
    crops = torch.randint(0, 256, (2, 112, 112, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    found, _ = detector.step(crops, detector.new_state(2))
    network = trainer.network.eval()
    with torch.no_grad():
        known, _ = network(crops.unsqueeze(1), network.new_state(2))
    torch.testing.assert_close(found.logit, known.logit[:, 0], atol=1e-2, rtol=1e-2)
    with pytest.raises(ModelError, match="another network"):
        pack({"a": torch.zeros(1)})
