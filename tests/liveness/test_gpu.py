# SPDX-License-Identifier: Apache-2.0
"""The same judging on a GPU: graphs, half precision, uploads in turns; `scripts/gpu` runs it where there is one."""

import numpy as np
import pytest
import torch

from models import twofold
from monitor.config import LivenessSettings
from monitor.errors import DeviceMemoryError
from monitor.liveness.devices import load_model
from monitor.liveness.runner import Runner
from monitor.liveness.stand import CLOSE, clocked
from tests.liveness.test_tuning import shapes

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="NO GPU HERE: graphs and uploads were not tested"),
]
FACES, LOOKS = 11, 6


def logits(runner: Runner, side: int) -> np.ndarray:
    """Eleven faces looked at six times, in another order each time; float64 [looks, faces]."""
    crops, found = shapes(LOOKS, FACES, side), []
    for look in range(LOOKS):
        order = np.random.default_rng(look).permutation(FACES)
        fresh = range(FACES) if look == 0 else ()
        flight = runner.launch(order.tolist(), fresh, list(crops[look][order]))
        said, maps = runner.land(flight, [100.0] * FACES)
        assert maps.shape[0] == FACES
        found.append(np.asarray(said)[np.argsort(order)])
    return np.stack(found)


@pytest.mark.parametrize(("precision", "most"), [("float32", 0.01), ("float16", CLOSE)])
def test_graphs_on_a_gpu_judge_as_torch_does_on_a_processor(precision, most):
    """In steps of four, so that uploads take turns and buckets are padded."""
    known = Runner(twofold.load(accelerated=False), FACES, 4)
    detector = load_model(LivenessSettings(precision=precision), "default", "cuda")
    runner = Runner(detector, FACES, 4)
    runner.warm_up()
    assert sorted(runner.sizes) == [1, 2, 4]
    assert np.abs(logits(runner, detector.crop_px) - logits(known, detector.crop_px)).max() < most


def test_what_has_no_room_on_the_gpu_is_told_by_its_code():
    """A pool for more faces than memory holds."""
    with pytest.raises(DeviceMemoryError, match="no memory left"):
        Runner(load_model(LivenessSettings(), "default", "cuda"), 100_000_000)


def test_a_step_of_256_faces_takes_under_5_ms():
    """From crops in the processor's memory to logits there; 20,000 faces a second are less."""
    detector = load_model(LivenessSettings(), "default", "cuda")
    runner = Runner(detector, 256)
    runner.warm_up()
    crops = list(shapes(1, 256, detector.crop_px)[0])
    assert clocked(runner, crops, 2.0) < 0.005
