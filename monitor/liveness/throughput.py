# SPDX-License-Identifier: Apache-2.0
"""Settings and crops in; how many crops a second the device judges, beside what it could at most, out."""

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.twofold import VIEWS, TwofoldDetector
from models.work import Work, count
from monitor.config import LivenessSettings
from monitor.liveness.buckets import buckets
from monitor.liveness.catalog import refusals
from monitor.liveness.devices import load_model, resolve_device
from monitor.liveness.runner import CPU_STEP, GPU_STEP, Runner
from monitor.liveness.stand import clocked

__all__ = ["Device", "Step", "Throughput", "limit_s", "measure"]

SQUARE: Final = {"cpu": 1024, "cuda": 8192}
BUFFER_BYTES: Final = {"cpu": 2**28, "cuda": 2**30}
TRIES: Final = 5


class Device(NamedTuple):
    """What the device can do at most, measured: products of large matrices in the network's precision, large copies."""

    name: str
    flops_per_s: float
    bytes_per_s: float


class Step(NamedTuple):
    """Steps over `crops` faces: `seconds` from crops in the processor's memory to logits there.

    `limit_s` is the least time in which the device could do the arithmetic or move the values, whichever is longer.
    """

    crops: int
    seconds: float
    limit_s: float

    @property
    def crops_per_s(self) -> float:
        """Faces judged in a second."""
        return self.crops / self.seconds

    @property
    def share(self) -> float:
        """Of the device's limit."""
        return self.limit_s / self.seconds


class Throughput(NamedTuple):
    """Steps of all sizes, the smallest first; `looks_per_s` is what one face takes in a call."""

    device: Device
    precision: str
    work: Work
    looks_per_s: float
    steps: tuple[Step, ...]


def measure(settings: LivenessSettings, crops: Sequence[NDArray[np.uint8]], seconds: float) -> Throughput:
    """Run steps of every bucket on `crops` uint8 [S, S, 3], each for so many seconds.

    Raises ModelError and DeviceError as the engine does.
    """
    name = resolve_device(settings.device)
    torch.set_num_threads(settings.threads)
    with refusals(settings.model):
        detector = load_model(settings, settings.model, name)
    plain = detector.detector if isinstance(detector, TwofoldDetector) else detector
    views = VIEWS if isinstance(detector, TwofoldDetector) else 1
    once, kind = count(plain.network), plain.network.backbone.kind
    work = Work(views * once.flops, views * once.values, once.weights)
    device = _device(torch.device(name), kind)
    most = settings.largest_step or (GPU_STEP if name != "cpu" else CPU_STEP)
    runner = Runner(detector, most, most)
    runner.warm_up()
    limits = {size: limit_s(work, device, size, kind.itemsize) for size in sorted(buckets(runner.largest))}
    steps = tuple(_step(runner, size, limit, crops, seconds) for size, limit in limits.items())
    return Throughput(device, str(kind).removeprefix("torch."), work, detector.samples_per_s, steps)


def _step(runner: Runner, size: int, limit: float, crops: Sequence[NDArray[np.uint8]], seconds: float) -> Step:
    shots = [crops[index % len(crops)] for index in range(size)]
    return Step(size, clocked(runner, shots, seconds), limit)


def limit_s(work: Work, device: Device, crops: int, value_bytes: int) -> float:
    """The least time of a step: its arithmetic, or the values in and out of its layers and its weights once."""
    moved_bytes = (work.values * crops + work.weights) * value_bytes
    return max(work.flops * crops / device.flops_per_s, moved_bytes / device.bytes_per_s)


def _device(device: torch.device, kind: torch.dtype) -> Device:
    side = SQUARE[device.type]
    left, right = (torch.rand(side, side, device=device).to(kind) for _ in range(2))
    source = torch.zeros(BUFFER_BYTES[device.type] // 4, device=device)
    into = torch.empty_like(source)
    product_s = _least_s(device, lambda: torch.mm(left, right))
    copy_s = _least_s(device, lambda: into.copy_(source))
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    return Device(name, 2 * side**3 / product_s, 2 * source.nbytes / copy_s)


def _least_s(device: torch.device, work: Callable[[], Tensor]) -> float:
    return min(_once_s(device, work) for _ in range(TRIES))


def _once_s(device: torch.device, work: Callable[[], Tensor]) -> float:
    if device.type == "cpu":
        began_s = time.process_time()
        work()
        return time.process_time() - began_s
    began, ended = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    began.record()
    work()
    ended.record()
    ended.synchronize()
    return float(began.elapsed_time(ended)) / 1000.0
