# SPDX-License-Identifier: Apache-2.0
"""Ways to run the network are measured here, and only what judges alike is advised."""

import numpy as np
import pytest
import torch

from models import registry
from models.ways import CLOSE
from models.work import Work
from monitor.config import LivenessSettings
from monitor.errors import ModelError
from monitor.liveness.stand import Trial
from monitor.liveness.throughput import Device, Step, limit_s, measure
from monitor.liveness.tuning import advice, trials

ONNX = {"runtime": "onnx", "precision": "float32"}
TORCH = {"runtime": "torch", "precision": "float32"}


def trial(settings: dict[str, str], *ms: float, off: float = 0.0, threads: int = 1) -> Trial:
    """A way whose steps of 1, 2, 4 … crops take so many milliseconds a crop."""
    return Trial("way", threads, settings, {2**place: cost for place, cost in enumerate(ms)}, off)


def shapes(looks: int, faces: int, side: int) -> np.ndarray:
    """Soft shapes under grain, uint8 [T, N, S, S, 3]."""
    random = torch.Generator().manual_seed(7)
    blocks = torch.rand(looks * faces, 3, 7, 7, generator=random)
    soft = torch.nn.functional.interpolate(blocks, size=(side, side), mode="bilinear").permute(0, 2, 3, 1)
    grain = 0.1 * torch.rand(soft.shape, generator=random)
    return (255 * (0.9 * soft + grain)).to(torch.uint8).view(looks, faces, side, side, 3).numpy()


def test_the_quickest_way_that_judges_alike_is_advised():
    """Not the quickest of all: 8 bits move the logits, and a way without settings cannot be chosen."""
    tried = [
        trial(TORCH, 12.0, 7.0),
        trial(ONNX, 6.0, 5.9),
        trial({"runtime": "torch", "precision": "bfloat16"}, 4.0, 4.0, off=2 * CLOSE),
        trial({}, 1.0, 1.0),
    ]
    assert advice(tried) == {**ONNX, "threads": 1, "largest_step": 1, "batch_deadline_ms": 0.0}


def test_batches_are_waited_for_where_they_pay():
    """The smallest step that is about as good as the best; no wait for what saves less than a tenth."""
    assert advice([trial(TORCH, 12.0, 8.0, 7.1, 7.0)]) | TORCH == {
        **TORCH,
        "threads": 1,
        "largest_step": 4,
        "batch_deadline_ms": 8.0,
    }


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_every_way_is_tried_and_held_against_torch(monkeypatch):
    """ONNX Runtime judges alike; 8 bits do not, on pictures with shapes in them; what is missing says why."""
    monkeypatch.setattr("models.ways.compiled", lambda detector: detector)
    found = {
        each.way: each for each in trials(LivenessSettings(device="cpu"), shapes(2, 1, 128), batches=(1,), seconds=0.05)
    }
    assert found["torch, float32"].off == 0.0
    assert found["torch, float32"].allowed
    runtime = found["ONNX Runtime"]
    assert runtime.absent or (runtime.allowed and runtime.off < 1e-3)
    small = found.get("ONNX Runtime, 8 bit")
    assert small is None or small.absent or (small.off > CLOSE and not small.allowed)
    assert all(each.absent or each.ms[1] > 0 for each in found.values())


def test_an_unknown_model_is_told():
    """As the service tells it."""
    with pytest.raises(ModelError, match="nobody"):
        next(trials(LivenessSettings(model="nobody", device="cpu"), shapes(1, 1, 8)))


def test_the_limit_is_the_slower_of_arithmetic_and_traffic():
    """Weights are read once a step, values once a crop."""
    work, device = Work(flops=100, values=10, weights=50), Device("slow", 1000.0, 200.0)
    assert limit_s(work, device, 1, 2) == pytest.approx(max(0.1, 120 / 200))
    assert limit_s(work, device._replace(bytes_per_s=1e9), 4, 2) == pytest.approx(0.4)
    step = Step(crops=4, seconds=0.8, limit_s=0.4)
    assert (step.crops_per_s, step.share) == (5.0, 0.5)


def test_throughput_is_measured_on_the_device_there_is(monkeypatch):
    """Steps of every bucket, each slower than the device's own limit and than none."""
    monkeypatch.setattr("monitor.liveness.throughput.BUFFER_BYTES", {"cpu": 2**22})
    monkeypatch.setattr("monitor.liveness.throughput.SQUARE", {"cpu": 128})
    side = registry.entry().crop_px
    found = measure(LivenessSettings(device="cpu", largest_step=2), list(shapes(1, 2, side)[0]), 0.05)
    assert [step.crops for step in found.steps] == [1, 2]
    assert all(step.seconds > 0 and step.limit_s > 0 for step in found.steps)
    assert found.precision == "float32"
    assert found.work.flops > 4e8
