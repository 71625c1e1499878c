# SPDX-License-Identifier: Apache-2.0
"""Crops and slots in, what the network saw of each out: one step of it, on static buffers and the tracks' state."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from monitor.liveness.buckets import bucket
from monitor.liveness.detector import Detector
from monitor.liveness.graphs import Graphs
from monitor.liveness.pool import StatePool
from monitor.liveness.uploads import Uploads

__all__ = ["Crops", "Prepare", "Step", "Steps"]

Crops = Sequence[NDArray[np.uint8]]
Step = Callable[[], Any]
"""Looks at what lies in the buffers; what it saw is a detector's own affair."""
Prepare = Callable[[Step], Step]


class Steps:
    """The detector, the state of `tracks` tracks, and a step for each number of crops up to `largest`.

    With `padded` (on a GPU unless told) a step has the size of a bucket, what it lacks is filled up with a slot of
    nobody, and `prepare` makes it what is run: a CUDA graph on a GPU, itself elsewhere.
    """

    def __init__(
        self,
        detector: Detector,
        tracks: int,
        largest: Callable[[str], int],
        *,
        padded: bool | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        self._detector = detector
        self._nobody = tracks
        self._pool = StatePool(detector.new_state, tracks + 1)
        device = self._pool.device
        self.on_gpu = device.type == "cuda"
        self.padded = self.on_gpu if padded is None else padded
        self.largest = min(largest(device.type), tracks)
        """Most crops in a step."""
        self._prepare = prepare or (Graphs(device).record if self.on_gpu else _as_it_is)
        self._uploads = Uploads(self.largest, detector.crop_px, device)
        side = detector.crop_px
        self._crops = torch.zeros(self.largest, side, side, 3, dtype=torch.uint8, device=device)
        self._slots = torch.full((self.largest,), self._nobody, device=device)
        self._made: dict[int, Step] = {}

    @property
    def state_bytes(self) -> int:
        """Memory of the state pool."""
        return self._pool.bytes

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes that were made so far."""
        return tuple(self._made)

    def reset(self, slots: Sequence[int]) -> None:
        """Put slots back to the state of a track that was never seen."""
        self._pool.reset(slots)

    def run(self, slots: Sequence[int], crops: Crops) -> Any:  # noqa: ANN401 - a detector's own affair
        """One look at a crop uint8 [S, S, 3] of each slot; what was seen is on its way to the processor's memory."""
        count = len(slots)
        size = bucket(count, self.largest) if self.padded else count
        self._uploads.fill(self._crops[:count], crops)
        self._aim([*slots, *[self._nobody] * (size - count)])
        output = self._step(size)()
        return type(output)(*(_to_host(value[:count]) for value in output))

    def make(self, size: int) -> None:
        """Make the step of a size beforehand; nobody's state tells of it."""
        self._aim([self._nobody] * size)
        self._step(size)

    def lower(self, largest: int) -> None:
        """Take smaller steps from now on, and give back what the larger ones held."""
        self.largest = largest
        self._made = {size: step for size, step in self._made.items() if size <= largest}
        if self.on_gpu:
            torch.cuda.empty_cache()

    def _aim(self, slots: Sequence[int]) -> None:
        chosen = torch.tensor(slots, dtype=torch.long, pin_memory=self.on_gpu)
        self._slots[: len(slots)].copy_(chosen, non_blocking=True)

    def _step(self, size: int) -> Step:
        if size not in self._made:
            self._made[size] = self._prepare(partial(self._work, size))
        return self._made[size]

    def _work(self, size: int) -> Any:  # noqa: ANN401 - a detector's own affair
        slots = self._slots[:size]
        output, after = self._detector.step(self._crops[:size], self._pool.gather(slots))
        self._pool.scatter(slots, after)
        return output


def _as_it_is(step: Step) -> Step:
    return step


def _to_host(value: Tensor) -> Tensor:
    if value.device.type == "cpu":
        return value
    return torch.empty(value.shape, dtype=value.dtype, pin_memory=True).copy_(value, non_blocking=True)
