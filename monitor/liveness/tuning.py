# SPDX-License-Identifier: Apache-2.0
"""Crops of real faces in; what each way to run the network costs here, and the settings to choose, out."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models.ways import CLOSE, Absent, Way, farthest, ways
from monitor.config import LivenessSettings
from monitor.liveness.catalog import refusals
from monitor.liveness.devices import resolve_device
from monitor.liveness.runner import GPU_WAIT_MS, Runner

__all__ = ["CLOSE", "Trial", "advice", "clocked", "trials"]

ON_CPU: Final = (1, 2, 4, 8)
ON_GPU: Final = (1, 8, 32, 64, 128, 256)
WORTH_WAITING: Final = 0.9
"""Batches are waited for when they take a tenth off a crop's time."""
AS_GOOD: Final = 1.03
"""The smallest step is taken among those within so much of the best."""
LEAST_STEPS: Final = 3


class Trial(NamedTuple):
    """One way on so many threads: milliseconds of the processor, or of a GPU's time, per crop by batch.

    `off` is the largest difference in logits from torch in float32. `settings` choose the way; there are none where it
    cannot be chosen. `absent` says why it was not tried.
    """

    way: str
    threads: int
    settings: Mapping[str, str]
    ms: Mapping[int, float]
    off: float | None
    absent: str = ""

    @property
    def allowed(self) -> bool:
        """Whether it judges as the reference does, and there are settings for it."""
        return bool(self.settings) and self.off is not None and self.off <= CLOSE


def trials(
    settings: LivenessSettings,
    crops: NDArray[np.uint8],
    *,
    threads: Sequence[int] = (1,),
    batches: Sequence[int] = (),
    seconds: float = 2.0,
) -> Iterator[Trial]:
    """Try every way on every number of threads; `crops` uint8 [T, N, S, S, 3] are looks at N faces over time.

    Each figure is the least of what fits into so many seconds, for steps over each of `batches` faces (what suits the
    device if none are named). Raises ModelError and DeviceError as the engine does.
    """
    device, looks = resolve_device(settings.device), torch.from_numpy(crops)
    batches = batches or (ON_CPU if device == "cpu" else ON_GPU)
    for count in threads if device == "cpu" else (1,):
        torch.set_num_threads(count)
        with refusals(settings.model):
            found = list(ways(settings.model, device, looks))
        reference = next(way for way in found if isinstance(way, Way))
        for way in found:
            if isinstance(way, Absent):
                yield Trial(way.name, count, {}, {}, None, way.why)
                continue
            off, faces = farthest(way.detector, reference.detector, looks), cycle(looks.flatten(0, 1).numpy())
            ms = {batch: _ms(way.detector, list(islice(faces, batch)), seconds) for batch in batches}
            yield Trial(way.name, count, way.settings, ms, off)


def advice(tried: Iterable[Trial]) -> dict[str, str | float | int]:
    """Settings of the section `liveness` that are quickest here, from trials of which at least one is allowed."""
    best = min((trial for trial in tried if trial.allowed), key=lambda trial: min(trial.ms.values()))
    least = min(best.ms.values())
    step = min(batch for batch, ms in best.ms.items() if ms <= AS_GOOD * least)
    waits = least < WORTH_WAITING * best.ms[min(best.ms)]
    return {
        **best.settings,
        "threads": best.threads,
        "largest_step": step,
        "batch_deadline_ms": GPU_WAIT_MS if waits else 0.0,
    }


def clocked(runner: Runner, crops: Sequence[NDArray[np.uint8]], seconds: float) -> float:
    """The least time of a step over so many crops, in seconds: of the processor, or by the clock on a GPU.

    Of three steps at least, however long they take.
    """
    clock = time.perf_counter if runner.on_gpu else time.process_time
    slots, widths = range(len(crops)), [100.0] * len(crops)
    runner.land(runner.launch(slots, slots, crops), widths)
    taken_s: list[float] = []
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s or len(taken_s) < LEAST_STEPS:
        began_s = clock()
        runner.land(runner.launch(slots, (), crops), widths)
        taken_s.append(clock() - began_s)
    return min(taken_s)


def _ms(detector: Any, crops: Sequence[NDArray[np.uint8]], seconds: float) -> float:  # noqa: ANN401 - any of models'
    return 1000.0 * clocked(Runner(detector, len(crops), len(crops)), crops, seconds) / len(crops)
