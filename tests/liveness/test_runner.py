# SPDX-License-Identifier: Apache-2.0
"""Steps on static buffers: the same words as step by step, and what happens when the device fails."""

import numpy as np
import pytest
import torch
from structlog.testing import capture_logs

from models import twofold
from monitor.errors import DeviceLostError, DeviceMemoryError
from monitor.liveness.runner import Flight, Runner
from tests.fakes.detector import FakeDetector

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
LOST = torch.AcceleratorError("CUDA error: unspecified launch failure\nSearch for cudaErrorLaunchFailure")


def crops(count: int, seed: int, side: int = 8) -> list[np.ndarray]:
    """Noise, different for each face."""
    random = np.random.default_rng(seed)
    return list(random.integers(0, 256, (count, side, side, 3), np.uint8))


def look(runner: Runner, slots: list[int], shots: list[np.ndarray], fresh: tuple[int, ...] = ()) -> list[float]:
    """Logits of one look at faces of the reference size."""
    return runner.land(runner.launch(slots, fresh, shots), [100.0] * len(slots))[0]


def test_buckets_with_a_padding_slot_judge_as_plain_steps_do():
    """The static path of a GPU, run without graphs, on the network that ships: 1e-5 of logits and maps."""
    detector = twofold.load(accelerated=False)
    runner = Runner(detector, 8, 4, padded=True)
    state = detector.new_state(8)
    for step, count in enumerate((5, 3, 6, 1)):
        slots = [7, 2, 4, 0, 1, 3][:count]
        shots = crops(count, step, detector.crop_px)
        flight = runner.launch(slots, slots if step == 0 else (), shots)
        logits, maps = runner.land(flight, [90.0] * count)
        output, after = detector.step(torch.from_numpy(np.stack(shots)), tuple(kind[slots] for kind in state))
        for kind, new in zip(state, after, strict=True):
            kind[slots] = new
        assert logits == pytest.approx(detector.logits(output, [90.0] * count), abs=1e-5)
        known = (detector.boundaries(output) * 255.0).round().to(torch.uint8).numpy()
        assert np.abs(maps.astype(int) - known).max() <= 1
        assert maps.shape == known.shape


def test_steps_have_the_sizes_of_buckets_and_nobody_is_padded():
    """A batch of five in steps of at most four is four and one; of three, a step of four with one slot of nobody."""
    fake = FakeDetector()
    runner = Runner(fake, 8, 4, padded=True)
    look(runner, [0, 1, 2, 3, 4], crops(5, 0))
    look(runner, [5, 6, 7], crops(3, 1))
    look(runner, list(range(8)), crops(8, 2))
    assert fake.batches == [4, 1, 4, 4, 4]
    assert fake.steps_seen[-2:] == [[1, 1, 1, 1], [1, 1, 1, 1]]


def test_without_padding_a_step_is_as_large_as_its_batch():
    """On a CPU what fills a step up would be work for nothing."""
    fake = FakeDetector()
    look(Runner(fake, 8, 4), [0, 1, 2, 3, 4, 5, 6], crops(7, 0))
    assert fake.batches == [4, 3]


def test_every_bucket_is_warmed_up_before_the_first_face():
    """What has to be made is made at the start, and nobody's state tells of it."""
    fake = FakeDetector()
    runner = Runner(fake, 8, 4, padded=True)
    runner.warm_up()
    assert sorted(runner.sizes) == [1, 2, 4]
    look(runner, [3], crops(1, 0))
    assert fake.steps_seen[-1] == [0]


def test_a_step_without_memory_is_tried_again_in_halves():
    """The evidence is the same, the steps stay small, it is counted and said."""
    shots = crops(6, 0)
    short = FakeDetector(fail_at=frozenset({0}), failure=FULL)
    runner, known = Runner(short, 8, 8, padded=True), Runner(FakeDetector(), 8, 8)
    with capture_logs() as said:
        assert look(runner, list(range(6)), shots) == look(known, list(range(6)), shots)
    assert short.batches == [6 + 2, 4, 2]
    assert (runner.largest, runner.out_of_memory, runner.lost) == (4, 1, None)
    assert [(line["event"], line["largest_step"]) for line in said] == [("device_memory", 4)]


def test_a_batch_that_finds_no_memory_twice_fails_and_harms_nobody():
    """The state of its tracks is as it was; the next batch is tried in smaller steps."""
    fake = FakeDetector(fail_at=frozenset({1, 2}), failure=FULL)
    runner = Runner(fake, 8, 8)
    look(runner, [0, 1, 2, 3], crops(4, 0))
    with capture_logs(), pytest.raises(DeviceMemoryError, match="no memory left") as caught:
        look(runner, [0, 1, 2, 3], crops(4, 1))
    assert caught.value.code == "device_memory"
    assert runner.largest == 1
    look(runner, [0, 1, 2, 3], crops(4, 2))
    assert fake.steps_seen[-4:] == [[1], [1], [1], [1]]


def test_without_memory_for_the_largest_buckets_the_smaller_ones_judge():
    """At the start, too; what has no memory for a single face does not start."""
    fake = FakeDetector(fail_at=frozenset({0}), failure=FULL)
    runner = Runner(fake, 8, 8, padded=True, prepare=tried)
    with capture_logs():
        runner.warm_up()
    assert (runner.largest, sorted(runner.sizes)) == (4, [1, 2, 4])
    poor = Runner(FakeDetector(fail_at=frozenset(range(9)), failure=FULL), 8, 8, padded=True, prepare=tried)
    with capture_logs(), pytest.raises(DeviceMemoryError):
        poor.warm_up()


def tried(step):
    """Run a step when it is made, as recording a graph does."""
    step()
    return step


def test_a_lost_device_is_left_alone():
    """It is told once by its code, and nothing is asked of it again."""
    fake = FakeDetector(fail_at=frozenset({0}), failure=LOST)
    runner = Runner(fake, 4)
    for _ in range(3):
        with pytest.raises(DeviceLostError, match="unspecified launch failure") as caught:
            look(runner, [0], crops(1, 0))
    assert caught.value.code == "device_lost"
    assert "Restart" in caught.value.advice
    assert fake.batches == [1]


def test_a_device_lost_on_the_way_is_told_when_its_batch_lands():
    """A GPU's errors come late: with the next wait."""

    class Broken:
        def synchronize(self):
            raise LOST

    runner, flight = Runner(FakeDetector(), 4), Flight()
    flight.landing = Broken()
    with pytest.raises(DeviceLostError):
        runner.land(flight, [])
    assert runner.lost is not None


def test_other_errors_pass_as_they_are():
    """A bug is not a broken device."""
    runner = Runner(FakeDetector(fail_at=frozenset({0})), 4)
    with pytest.raises(RuntimeError, match="a fake failure"):
        look(runner, [0], crops(1, 0))
    assert runner.lost is None
