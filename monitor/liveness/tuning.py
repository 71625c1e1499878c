# SPDX-License-Identifier: Apache-2.0
"""Crops of real faces in; what each way to run the network costs here, and the settings to choose, out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.ways import Absent, Way, ways
from monitor.config import LivenessSettings
from monitor.liveness.catalog import refusals
from monitor.liveness.devices import resolve_device
from monitor.liveness.runner import GPU_WAIT_MS
from monitor.liveness.stand import Note, Stand, Trial, silent

__all__ = ["advice", "trials"]

ON_CPU: Final = (1, 2, 4, 8)
ON_GPU: Final = (1, 8, 32, 64, 128, 256)
WORTH_WAITING: Final = 0.9
"""Batches are waited for when they take a tenth off a crop's time."""
AS_GOOD: Final = 1.03
"""The smallest step is taken among those within so much of the best."""


def trials(
    settings: LivenessSettings,
    crops: NDArray[np.uint8],
    *,
    threads: Sequence[int] = (1,),
    batches: Sequence[int] = (),
    seconds: float = 2.0,
    note: Note = silent,
) -> Iterator[Trial]:
    """Try every way on every number of threads; `crops` uint8 [T, N, S, S, 3] are looks at N faces over time.

    Each figure is the least of what fits into so many seconds, for steps over each of `batches` faces (what suits the
    device if none are named). What is compiled is tried on the first number of threads only, and `note` is told of
    each size. Raises ModelError and DeviceError as the engine does.
    """
    device, looks = resolve_device(settings.device), torch.from_numpy(crops)
    batches = batches or (ON_CPU if device == "cpu" else ON_GPU)
    counts = threads if device == "cpu" else (1,)
    for count in counts:
        torch.set_num_threads(count)
        with refusals(settings.model):
            found = list(ways(settings.model, device, looks))
        reference = next(way.detector for way in found if isinstance(way, Way))
        stand = Stand(reference, looks, batches, seconds, note)
        for way in found:
            if count == counts[0] or isinstance(way, Absent) or not way.compiles:
                yield stand.trial(way, count)


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
