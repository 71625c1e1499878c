# SPDX-License-Identifier: Apache-2.0
"""The engine on a device that runs out of memory, fails or is not there."""

import asyncio

import pytest
import torch
from structlog.testing import capture_logs

from monitor.config import LivenessSettings
from monitor.errors import DeviceError, DeviceMemoryError, ModelError
from monitor.liveness.devices import loader
from monitor.liveness.engine import Engine
from tests.fakes.detector import FakeDetector
from tests.fakes.timeline import crop
from tests.liveness.test_runner import FULL, LOST


def engine(fake: FakeDetector) -> Engine:
    """An engine round a fake detector."""
    return Engine(LivenessSettings(batch_deadline_ms=2.0), load=lambda name, device: fake)


async def test_a_step_without_memory_costs_no_evidence():
    """It is tried again; readiness stays, and says that steps are smaller now."""
    async with engine(FakeDetector(fail_at=frozenset({0}), failure=FULL)) as at_work:
        assert at_work.condition == "judges"
        with capture_logs():
            words = await at_work.judge([crop(0.0, track) for track in (1, 2)])
        assert sorted({word.track for word in words}) == [1, 2]
        assert at_work.healthy
        assert at_work.condition == "judges, at most 1 faces a step: the GPU's memory ran short"
        assert (at_work.counts.out_of_memory, at_work.counts.largest_step, at_work.counts.failures) == (1, 1, 0)


async def test_a_batch_that_finds_no_memory_twice_gives_no_evidence():
    """Readiness tells its code until a batch succeeds; nothing crashes, the track goes on where it was."""
    fake = FakeDetector(fail_at=frozenset({1, 2}), failure=FULL)
    async with engine(fake) as at_work:
        await at_work.judge([crop(0.0)])
        with capture_logs():
            assert await at_work.judge([crop(0.2)]) == ()
        assert not at_work.healthy
        assert "[device_memory]" in at_work.condition
        assert len(await at_work.judge([crop(0.4)])) > 0
        assert at_work.healthy
    assert fake.steps_seen == [[0], [1]]


async def test_a_lost_device_makes_the_engine_unhealthy_for_good():
    """Callers get no evidence and no wait; only a new process can use the device again."""
    fake = FakeDetector(fail_at=frozenset({0}), failure=LOST)
    async with engine(fake) as at_work:
        with capture_logs() as said:
            for index in range(3):
                assert await at_work.judge([crop(index / 5)]) == ()
        assert not at_work.healthy
        assert "[device_lost]" in at_work.condition
        assert "Restart lifesign" in at_work.condition
        assert at_work.counts.device_lost
    assert fake.batches == [1]
    assert [(line["event"], line["code"]) for line in said] == [("batch_failed", "device_lost")]


async def test_on_a_cpu_a_look_waits_for_nobody_unless_told():
    """One face is judged alone, and two that come at the same moment together, with no time given to wait for more."""
    fake = FakeDetector()
    unset = LivenessSettings(device="cpu")
    assert unset.batch_deadline_ms is None
    async with Engine(unset, load=lambda name, device: fake) as at_work:
        await at_work.judge([crop(0.0, 1)])
        await asyncio.gather(*(at_work.judge([crop(0.2, track)]) for track in (1, 2)))
    assert fake.batches == [1, 2]


async def test_a_device_too_small_for_the_weights_stops_the_start():
    """Not as a bug, but with its code and what to lower."""

    def load(name: str, device: str) -> FakeDetector:
        raise FULL

    with pytest.raises(DeviceMemoryError, match="no memory left") as caught:
        async with Engine(LivenessSettings(), load=load):
            pass
    assert (caught.value.exit_code, isinstance(caught.value, DeviceError)) == (3, True)


@pytest.mark.parametrize(
    ("settings", "kind", "runtime"),
    [
        ({"runtime": "torch"}, torch.float32, "TwofoldDetector of Detector"),
        ({"runtime": "torch", "precision": "float16"}, torch.float16, "TwofoldDetector of Detector"),
        ({"precision": "bfloat16"}, torch.bfloat16, "TwofoldDetector of Detector"),
    ],
)
def test_the_settings_say_what_runs_the_network(settings, kind, runtime):
    """Runtime and precision; ONNX Runtime is left out where convolutions shall not compute in float32."""
    found = loader(LivenessSettings(**settings))("default", "cpu")
    assert f"{type(found).__name__} of {type(found.detector).__name__}" == runtime
    assert found.detector.network.backbone.kind is kind


async def test_onnx_runtime_in_half_precision_is_refused():
    """The graph computes in float32."""
    with pytest.raises(ModelError, match="float32 only"):
        async with Engine(LivenessSettings(runtime="onnx", precision="float16", device="cpu")):
            pass
