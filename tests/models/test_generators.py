# SPDX-License-Identifier: Apache-2.0
"""Small generators learn to paint faces, go on where they stopped, and refuse weights that are not theirs."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import DataError, TrainingError, WeightsError
from models.generators.align import PLACES, align, lower_half, move
from models.generators.blocks import UPSAMPLERS, FiniteQuantiser, folded, painting, upsampling
from models.generators.faces import STORED_PX, Faces, gather
from models.generators.painting import Manner, paint
from models.generators.recipe import VARIANTS, Variant, build
from models.generators.store import Generator, load, load_all, write
from models.generators.tasks import TASKS, Wanted
from models.generators.train import Trainer, main
from tests.fakes.drawn_faces import drawn_clip, drawn_footage, write_crops

NAMES = sorted(VARIANTS)
SIDE_PX = 64


def tiny(name: str, steps: int = 40) -> Variant:
    """A variant as it is, but for small pictures in small batches."""
    return dataclasses.replace(VARIANTS[name], side_px=SIDE_PX, batch=12 if name == "swap" else 4, steps=steps)


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three films and two portraits of drawn people, as exported."""
    folder = tmp_path_factory.mktemp("crops")
    write_crops(folder, [drawn_footage(3 if seed < 3 else 1, seed) for seed in range(5)])
    return folder


@pytest.fixture(scope="module")
def faces(crops: Path) -> Faces:
    """The same, gathered."""
    return gather(crops, 0.0)


def squares(side_px: int, frames: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Upright squares of a drawn face, with landmarks."""
    clip = drawn_clip(frames, seed=4)
    matrices = [align(points, side_px) for points in clip.points]
    placed = np.stack([move(points, matrix) for points, matrix in zip(clip.points, matrices, strict=True)])
    random = np.random.default_rng(0)
    return random.integers(0, 255, (frames, side_px, side_px, 3)).astype(np.uint8), placed


@pytest.mark.parametrize("kind", UPSAMPLERS)
def test_each_upsampler_doubles_the_side(kind: str) -> None:
    """Whatever the way, the side doubles and the channels are those asked for."""
    assert upsampling(kind, 6, 5)(torch.zeros(2, 6, 8, 8)).shape == (2, 5, 16, 16)


def test_an_unknown_upsampler_is_refused() -> None:
    """The names are a closed list."""
    for make in (lambda: upsampling("magic", 4, 4), lambda: painting("magic", 4)):
        with pytest.raises(ValueError, match="no way to double"):
            make()


def test_the_quantiser_rounds_and_lets_gradients_through() -> None:
    """Outputs lie on the grid of each channel; inputs still get a gradient."""
    latent = torch.randn(3, 2, 4, 4, requires_grad=True)
    rounded = FiniteQuantiser((5, 3))(latent)
    steps = rounded.detach() * torch.tensor([2.0, 1.0]).reshape(1, 2, 1, 1)
    assert torch.equal(steps, steps.round())
    assert rounded.abs().max() <= 1.0
    rounded.sum().backward()
    assert latent.grad is not None
    assert (latent.grad > 0).any()


@pytest.mark.parametrize("name", NAMES)
def test_a_generator_is_small_and_paints_at_any_multiple_of_16(name: str) -> None:
    """At most 0.7 million parameters; a picture of the same side comes out of each decoder."""
    variant = VARIANTS[name]
    generator = Generator(name, "late", variant, build(variant).eval())
    assert sum(value.numel() for value in generator.network.parameters()) <= 700_000
    for side_px in (64, 96):
        pictures, points = squares(side_px)
        for decoder in range(variant.decoders):
            painted = paint(generator, pictures, points, Manner(decoder, 0, 1, blind=False, seed=3))
            assert painted.shape == pictures.shape
            assert painted.dtype == np.uint8
            assert (painted != pictures).any()


def test_a_mouth_painter_leaves_the_upper_half_alone() -> None:
    """Only what is below the nose is painted."""
    variant = VARIANTS["mouth"]
    pictures, points = squares(96)
    generator = Generator("mouth", "late", variant, build(variant).eval())
    painted = paint(generator, pictures, points, Manner(0, 0, 0, blind=True, seed=0))
    changed = (painted != pictures).any(axis=3)
    regions = np.stack([lower_half(one, 96) for one in points]) > 0
    assert changed[regions].mean() > 0.9
    assert not changed[~regions].any()
    assert not changed[:, :20].any()


def test_folding_the_normalisation_changes_nothing() -> None:
    """Convolution and normalisation in one give what they gave apart."""
    for name in NAMES:
        network = build(VARIANTS[name])
        inputs = torch.randn(2, {"reenact": 4, "mouth": 7}.get(name, 3), 32, 32)
        arguments = (inputs, 0) if name in ("map", "quantised", "swap") else (inputs,)
        network.train()
        network(*arguments)  # moves the running statistics away from nought and one
        network.eval()
        with torch.no_grad():
            before = network(*arguments)
            assert torch.allclose(folded(network)(*arguments), before, atol=1e-4)
        assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules())


def test_a_face_is_put_upright(faces: Faces) -> None:
    """A turned and moved face has eyes, nose and mouth where they belong."""
    clip = drawn_clip(1, seed=2)
    turned = clip.points[0] @ np.array([[0.9, 0.4], [-0.4, 0.9]], np.float32) + np.array([7, -11], np.float32)
    upright, again = (move(points, align(points, 128)) for points in (clip.points[0], turned))
    assert np.abs(upright - again).max() < 0.5
    assert np.abs(upright[:468].mean(axis=0) / 128 - PLACES.mean(axis=0)).max() < 0.1


def test_gathered_faces_keep_files_and_people_together(faces: Faces) -> None:
    """A frame beside another is of the same file; groups of look-alikes hold all frames, and people whole."""
    assert faces.pictures.shape == (11, STORED_PX, STORED_PX, 3)
    assert len(faces.starts) == 6
    rng = np.random.default_rng(0)
    for index in range(11):
        other = faces.beside(index, rng)
        alone = (faces.people == faces.people[index]).sum() == 1
        assert faces.people[other] == faces.people[index]
        assert (other == index) == alone
    groups = faces.alike(2, seed=0)
    assert sorted(np.concatenate(groups).tolist()) == list(range(11))
    assert not set(faces.people[groups[0]]) & set(faces.people[groups[1]])


def test_small_faces_and_held_out_people_are_not_learnt_from(tmp_path: Path) -> None:
    """Too small: nothing is left to gather. Held out: left out."""
    small = dataclasses.replace(drawn_footage(1, 1), face_px=np.array([40.0], np.float32))
    write_crops(tmp_path / "small", [small])
    with pytest.raises(DataError, match="large enough"):
        gather(tmp_path / "small", 0.0)
    write_crops(tmp_path / "large", [drawn_footage(1, seed) for seed in range(8)])
    assert 0 < len(gather(tmp_path / "large", 0.5).people) < 8


def test_unlawful_faces_are_refused(tmp_path: Path) -> None:
    """A licence that forbids training stops the generators too."""
    write_crops(tmp_path, [drawn_footage(1, 1, licence="research only")])
    with pytest.raises(DataError, match="forbids"):
        gather(tmp_path, 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_depends_on_the_random_state_alone(name: str, faces: Faces) -> None:
    """Shapes and ranges hold; the same state gives the same lesson."""
    variant = tiny(name)
    wanted = Wanted(variant.batch, SIDE_PX, faces.alike(variant.decoders, 0))
    first, again = (TASKS[variant.task](faces, wanted, np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.target, again.target)
    assert first.target.shape == (variant.batch, 3, SIDE_PX, SIDE_PX)
    assert first.region.shape == (variant.batch, 1, SIDE_PX, SIDE_PX)
    assert first.inputs.abs().max() <= 1.0
    assert first.target.abs().max() <= 1.0


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", NAMES)
def test_the_likeness_grows(name: str, faces: Faces) -> None:
    """After few steps the paintings are closer to the faces, with a critic from half-way on."""
    trainer = Trainer(tiny(name))
    groups = faces.alike(trainer.variant.decoders, 0)
    seen = []
    while trainer.done < 1.0:
        seen.append(trainer.learn(trainer.lesson(faces, groups)))
    assert np.mean([one["likeness"] for one in seen[-5:]]) < 0.8 * np.mean([one["likeness"] for one in seen[:5]])
    assert "critic" not in seen[0]
    assert np.isfinite(seen[-1]["critic"])


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_run_goes_on_where_it_was(faces: Faces, tmp_path: Path) -> None:
    """Four steps in one go, and two, a restart and two more, end in the same weights."""
    whole, half, rest = (Trainer(tiny("mouth", 4)) for _ in range(3))
    for _ in range(4):
        whole.learn(whole.lesson(faces, []))
    for _ in range(2):
        half.learn(half.lesson(faces, []))
    half.save(tmp_path / "mouth.pt")
    rest.restore(tmp_path / "mouth.pt")
    assert rest.step_number == 2
    for _ in range(2):
        rest.learn(rest.lesson(faces, []))
    values = rest.network.state_dict()
    assert all(torch.equal(value, values[key]) for key, value in whole.network.state_dict().items())


def test_foreign_and_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    """One of another network and one that is no checkpoint are named as such."""
    file = tmp_path / "run.pt"
    Trainer(tiny("mouth")).save(file)
    with pytest.raises(TrainingError, match="no checkpoint of this generator"):
        Trainer(tiny("reenact")).restore(file)
    file.write_bytes(b"no checkpoint")
    with pytest.raises(TrainingError, match="remove it"):
        Trainer(tiny("mouth")).restore(file)


def test_a_loss_that_is_no_number_stops_the_run(faces: Faces) -> None:
    """Nothing is learnt from it."""
    trainer = Trainer(tiny("mouth"))
    lesson = trainer.lesson(faces, [])
    lesson.target[0, 0, 0, 0] = torch.nan
    with pytest.raises(TrainingError, match="not a number"):
        trainer.learn(lesson)
    assert trainer.step_number == 0


def test_weights_survive_the_way_through_files(tmp_path: Path) -> None:
    """What is loaded paints as what was written, but for half precision."""
    variant = VARIANTS["quantised"]
    network = build(variant).eval()
    write(network, "quantised", "late", tmp_path)
    pictures, points = squares(64)
    manner = Manner(1, 0, 0, blind=False, seed=0)
    before = paint(Generator("quantised", "late", variant, network), pictures, points, manner)
    after = paint(load("quantised", "late", tmp_path), pictures, points, manner)
    assert np.abs(before.astype(int) - after).mean() < 2.0


def test_weights_that_cannot_be_trusted_are_refused(tmp_path: Path) -> None:
    """Missing, cut short, of another generator, not a number: each is an error of this package's tree."""
    with pytest.raises(WeightsError, match="is missing"):
        load_all(tmp_path)
    network = build(VARIANTS["mouth"])
    file = write(network, "mouth", "late", tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with pytest.raises(WeightsError, match="holds no weights of generator mouth"):
        load("mouth", "late", tmp_path)
    (tmp_path / "reenact-late.safetensors").write_bytes(whole)
    with pytest.raises(WeightsError, match="holds no weights of generator reenact"):
        load("reenact", "late", tmp_path)
    with torch.no_grad():
        network.get_parameter("last.bias").fill_(torch.nan)
    write(network, "mouth", "late", tmp_path)
    with pytest.raises(WeightsError, match="no numbers"):
        load("mouth", "late", tmp_path)
    file.write_bytes(bytes(5_000_000))
    with pytest.raises(WeightsError, match="larger than"):
        load("mouth", "late", tmp_path)


def test_the_command_trains_and_does_not_train_again(crops: Path, tmp_path: Path) -> None:
    """Weights and a checkpoint are written; a second call finds the run finished."""
    command = [str(crops), str(tmp_path / "run"), "--only", "quantised", "--steps", "3"]
    assert main(command) == 0
    written = {file.name: file.read_bytes() for file in (tmp_path / "run" / "weights").iterdir()}
    assert set(written) == {"quantised-early.safetensors", "quantised-late.safetensors"}
    assert main(command) == 0
    assert (tmp_path / "run" / "weights" / "quantised-late.safetensors").read_bytes() == written[
        "quantised-late.safetensors"
    ]


def test_the_command_says_why_it_cannot_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without crops it exits 1 with one reason."""
    assert main([str(tmp_path), str(tmp_path / "run")]) == 1
    assert "training stopped: no index of crops" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_log_is_one_line_of_json_every_so_many_steps(crops: Path, tmp_path: Path) -> None:
    """Each line names the step, the time spent and the losses."""
    assert main([str(crops), str(tmp_path), "--only", "quantised", "--steps", "20"]) == 0
    (line,) = (tmp_path / "quantised.jsonl").read_text().splitlines()
    assert {"step", "spent_s", "likeness", "critic", "alike"} <= set(json.loads(line))
