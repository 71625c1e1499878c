# SPDX-License-Identifier: Apache-2.0
"""The engine's table and its section of a README, and the settings that tuning prints."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.work import Work
from monitor.bench import engine, tuning
from monitor.config import Settings
from monitor.errors import UsageError
from monitor.liveness.stand import Trial
from monitor.liveness.throughput import Device, Step, Throughput

FOUND = Throughput(
    Device("H-1", 4e14, 2e12), "float16", Work(500_000_000, 9_000_000, 3_500_000), 5.0, (Step(256, 0.004, 0.001),)
)


def crops(count: int) -> np.ndarray:
    """Black faces."""
    return np.zeros((count, 8, 8, 3), np.uint8)


@pytest.fixture
def _without_media(monkeypatch):
    async def faces(settings, clip, crop_px, most):
        return crops(most)

    for module in (engine, tuning):
        monkeypatch.setattr(module, "faces", faces)
        monkeypatch.setattr(module.assets, "path", lambda name, cache: Path(name))
    monkeypatch.setattr(engine, "measure", lambda settings, shots, seconds: FOUND)


def test_a_row_says_what_a_deployer_asks():
    """Time of a step, faces a second, calls with one face each, and how near the device's limit that is."""
    assert engine.rows(FOUND) == [("256", "4.00", "64,000", "12,800", "25 %")]


@pytest.mark.usefixtures("_without_media")
async def test_the_table_goes_into_the_readme_and_the_numbers_to_stdout(tmp_path, capsys):
    """Only between the markers."""
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- bench-engine:begin -->\nold\n<!-- bench-engine:end -->\nb\n")
    assert await engine.benchmark(Settings(), seconds=1.0, json=True, readme=readme) == 0
    text = readme.read_text()
    assert "| 256 | 4.00 | 64,000 | 12,800 | 25 % |" in text
    assert "H-1, float16: 400 TFLOP/s and 2e+03 GB/s at most" in text
    assert "old" not in text
    assert json.loads(capsys.readouterr().out)["steps"] == [[256, 0.004, 0.001]]


async def test_a_readme_without_markers_is_refused_before_anything_is_measured(tmp_path):
    """The error names the markers."""
    readme = tmp_path / "README.md"
    readme.write_text("nothing\n")
    with pytest.raises(UsageError, match="bench-engine:begin"):
        await engine.benchmark(Settings(), seconds=1.0, readme=readme)


@pytest.mark.usefixtures("_without_media")
async def test_tuning_prints_settings_to_paste_and_what_was_not_tried(monkeypatch, capsys):
    """A table for people, YAML on stdout, or both as JSON."""
    settings = {"runtime": "torch", "precision": "float32"}
    tried = [
        Trial("torch, float32", 1, settings, dict.fromkeys((1, 2, 4, 8), 12.0), 0.0),
        Trial("ONNX Runtime", 1, {}, {}, None, "needs the extra fast"),
        Trial("ONNX Runtime, 8 bit", 1, {}, dict.fromkeys((1, 2, 4, 8), 3.0), 1.5),
        Trial("torch, compiled", 1, {}, {1: 9.0}, 0.0, compile_s={1: 31.0}),
    ]
    monkeypatch.setattr(tuning, "trials", lambda *given, **named: iter(tried))
    assert await tuning.tune(Settings(), json=False) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == "liveness:"
    assert "  runtime: torch" in said.out.splitlines()
    assert "needs the extra fast" in said.err
    assert "ONNX Runtime, 8 bit moves logits by more than" in said.err
    assert "torch, compiled was compiled first: 31 s for steps of 1." in said.err
    await tuning.tune(Settings(), json=True)
    assert json.loads(capsys.readouterr().out)["liveness"]["largest_step"] == 1
