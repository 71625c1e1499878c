# SPDX-License-Identifier: Apache-2.0
"""Every command of docs/training.md exists, takes what the page gives it, and leads to a model that judges."""

import dataclasses
import importlib
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import typer

from models import compare, evaluate, export, registry, train
from models.data.batches import Shape
from models.data.crops import Footage
from models.forgeries.clip import Clip
from models.inspection import largest_difference
from models.learning.recipe import Recipe
from monitor.cli import app
from tests.fakes.drawn_faces import drawn_footage, resized, write_crops

PAGE = Path(__file__).resolve().parents[2] / "docs" / "training.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
COMMANDS = [line.split(" > ")[0] for block in BLOCKS for line in block.splitlines()]
SIDE_PX = registry.load().crop_px


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("python -m")])
def test_every_python_command_is_understood(command: str) -> None:
    """The module's own parser takes the options as the page spells them."""
    _, _, module, *arguments = shlex.split(command)
    importlib.import_module(module)._options(arguments)


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("lifesign")])
def test_every_lifesign_command_is_understood(command: str) -> None:
    """The command line takes the options as the page spells them."""
    _, *words = shlex.split(command)
    found = typer.main.get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]  # type: ignore[attr-defined]
    assert not getattr(found, "commands", {})
    found.make_context("lifesign", words)


def test_the_page_is_read() -> None:
    """All parts of the way are on it."""
    named = {shlex.split(line)[2] for line in COMMANDS if line.startswith("python -m")}
    assert named == {
        "monitor.export", "models.transcode", "models.train", "models.export", "models.exchange", "models.evaluate",
        "models.compare", "models.calibrate", "models.card",
    }  # fmt: skip


def exported(seed: int, **row: str) -> Footage:
    """Three frames of a drawn face, as an export for the shipped model holds them."""
    drawn = drawn_footage(3, seed, **row)
    clip = resized(Clip(drawn.rgb, drawn.points), SIDE_PX * 3 // 2)
    return dataclasses.replace(drawn, rgb=clip.rgb, points=clip.points)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_footage_becomes_a_model_that_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Train from the shipped weights, go on after a stop, export, evaluate, compare, roll back: on drawn faces."""
    crops, run, weights = tmp_path / "crops", tmp_path / "run", tmp_path / "weights"
    write_crops(crops, [exported(seed) for seed in range(40)])
    films = [exported(50 + seed, split="val", path=f"val/real/{seed}.mp4") for seed in range(3)]
    films += [
        exported(60 + seed, split="val", path=f"val/swap/{seed}.mp4", label="swap", method="drawn") for seed in range(3)
    ]
    write_crops(crops, films, "val")
    small = Recipe(shapes=(Shape(1, 2, films=True),), warm_up_steps=1)
    monkeypatch.setattr(train, "RECIPES", {"full": small})
    monkeypatch.setattr(train, "CHECK_BATCHES", 1)
    given = [str(crops), str(run), "--from", "default", "--crop-px", str(SIDE_PX), "--workers", "0"]
    assert train.main([*given, "--steps", "1"]) == 0
    assert train.main([*given, "--steps", "2"]) == 0
    steps = [json.loads(line).get("step") for line in (run / "log.jsonl").read_text().splitlines()]
    assert [step for step in steps if step] == [1, 2]
    assert export.main([str(run / "checkpoint.pt"), "office-1", "--folder", str(weights), "--licence", "own"]) == 0
    own = str(weights / "office-1")
    said = [tmp_path / "before.jsonl", tmp_path / "after.jsonl"]
    for model, out in zip(("default", own), said, strict=True):
        judging = ["--crops", str(crops), "--conditions", "clean", "--model", model, "--out", str(out)]
        assert evaluate.main(judging) == 0
    capsys.readouterr()
    assert compare.main([str(file) for file in said]) == 0
    assert "| swap | 3 |" in capsys.readouterr().out
    trained, shipped = registry.load(own, accelerated=False), registry.load("default", accelerated=False)
    assert registry.entry(own).licence == "own"
    assert np.isfinite(largest_difference(trained, trained))
    assert trained.identity.sha256 != shipped.identity.sha256
    assert registry.load("default").identity == shipped.identity
