# SPDX-License-Identifier: Apache-2.0
"""Crops and slots of a batch in, what the network saw of each out; the state of all tracks stays on the device."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import structlog
import torch
from numpy.typing import NDArray
from torch import Tensor

from monitor.errors import DeviceLostError, DeviceMemoryError
from monitor.liveness.buckets import bucket, buckets
from monitor.liveness.detector import Detector
from monitor.liveness.faults import named
from monitor.liveness.graphs import Graphs
from monitor.liveness.pool import StatePool
from monitor.liveness.uploads import Uploads

__all__ = ["CPU_STEP", "GPU_STEP", "GPU_WAIT_MS", "Flight", "Runner"]

CPU_STEP: Final = 4
GPU_STEP: Final = 256
"""Most crops in one step unless told; docs/decisions/0060."""

GPU_WAIT_MS: Final = 8.0
"""Longest wait for a batch to fill unless told; a CPU waits for nobody."""

Crops = Sequence[NDArray[np.uint8]]
Step = Callable[[], Any]
Prepare = Callable[[Step], Step]
log = structlog.get_logger()


class Flight:
    """A batch on its way through the device: what each of its steps saw, in order, once it has landed."""

    def __init__(self) -> None:
        self.steps: list[Any] = []
        self.landing: torch.cuda.Event | None = None


class Runner:
    """The detector's steps on static buffers, with the state pool; used by one thread only.

    A batch is cut into steps of at most `largest` crops. With `padded` (on a GPU unless told) each step has the size of
    a bucket, what it lacks is filled up with a slot of nobody, and `prepare` makes it what is run: a CUDA graph on a
    GPU, itself elsewhere.
    """

    def __init__(
        self,
        detector: Detector,
        tracks: int,
        largest: int | None = None,
        *,
        padded: bool | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        self.detector = detector
        self.out_of_memory = 0
        """How often the device had no memory left for a step."""
        self.lost: DeviceLostError | None = None
        """Why the device cannot be used any more."""
        with torch.inference_mode(), named():
            self._pool = StatePool(detector.new_state, tracks + 1)
            device = self._pool.device
            self.largest = min(largest or (GPU_STEP if self.on_gpu else CPU_STEP), tracks)
            """Most crops in one step; less when the device's memory ran short."""
            self._padded = self.on_gpu if padded is None else padded
            self._nobody = tracks
            self._prepare = prepare or (Graphs(device).record if self.on_gpu else _as_it_is)
            self._uploads = Uploads(self.largest, detector.crop_px, device)
            side = detector.crop_px
            self._crops = torch.zeros(self.largest, side, side, 3, dtype=torch.uint8, device=device)
            self._slots = torch.full((self.largest,), self._nobody, device=device)
        self._steps: dict[int, Step] = {}

    @property
    def on_gpu(self) -> bool:
        """Whether steps run beside the processor."""
        return self._pool.device.type == "cuda"

    @property
    def state_bytes(self) -> int:
        """Memory of the state pool."""
        return self._pool.bytes

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the steps that were made so far."""
        return tuple(self._steps)

    def warm_up(self) -> None:
        """Make the step of every bucket; raises DeviceMemoryError where there is no memory for the smallest.

        Without padding steps have any size, and nothing is gained by trying.
        """
        for size in buckets(self.largest) if self._padded else ():
            if size <= self.largest:
                self._tried(size)

    @torch.inference_mode()
    def launch(self, slots: Sequence[int], fresh: Sequence[int], crops: Crops) -> Flight:
        """Begin a look at one crop uint8 [S, S, 3] of each slot, `fresh` ones from an empty state.

        A step that finds no memory is tried once more in halves. Raises DeviceMemoryError when that fails, too, and
        DeviceLostError once the device is lost; a step that raises leaves the state of its tracks as it was.
        """
        if self.lost is not None:
            raise self.lost
        try:
            with named():
                self._pool.reset(fresh)
                return self._launched(slots, crops)
        except DeviceLostError as error:
            self.lost = error
            raise

    def land(self, flight: Flight, face_px: Sequence[float]) -> tuple[list[float], NDArray[np.uint8]]:
        """Wait for the batch: a logit of each crop, and its boundary map uint8 [B, n, n], 255 for certain.

        Raises DeviceLostError when the device was lost on the way.
        """
        try:
            with named():
                if flight.landing is not None:
                    flight.landing.synchronize()
        except DeviceLostError as error:
            self.lost = error
            raise
        return self._read(flight, face_px)

    def _launched(self, slots: Sequence[int], crops: Crops) -> Flight:
        flight, again = Flight(), False
        while (begin := sum(len(step[0]) for step in flight.steps)) < len(slots):
            part = slice(begin, begin + self.largest)
            try:
                with named():
                    flight.steps.append(self._stepped(slots[part], crops[part]))
            except DeviceMemoryError:
                self._lower(len(slots[part]))
                if again:
                    raise
                again = True
        if self.on_gpu:
            flight.landing = torch.cuda.Event()  # type: ignore[no-untyped-call]
            flight.landing.record()
        return flight

    def _stepped(self, slots: Sequence[int], crops: Crops) -> Any:  # noqa: ANN401 - a detector's own affair
        count = len(slots)
        size = bucket(count, self.largest) if self._padded else count
        self._uploads.fill(self._crops[:count], crops)
        self._aim([*slots, *[self._nobody] * (size - count)])
        return self._brought(self._step(size)(), count)

    def _aim(self, slots: Sequence[int]) -> None:
        chosen = torch.tensor(slots, dtype=torch.long, pin_memory=self.on_gpu)
        self._slots[: len(slots)].copy_(chosen, non_blocking=True)

    def _step(self, size: int) -> Step:
        if size not in self._steps:
            self._steps[size] = self._prepare(partial(self._work, size))
        return self._steps[size]

    def _work(self, size: int) -> Any:  # noqa: ANN401 - a detector's own affair
        slots = self._slots[:size]
        output, after = self.detector.step(self._crops[:size], self._pool.gather(slots))
        self._pool.scatter(slots, after)
        return output

    @torch.inference_mode()
    def _tried(self, size: int) -> None:
        try:
            with named():
                self._aim([self._nobody] * size)
                self._step(size)
        except DeviceMemoryError:
            if size == 1:
                raise
            self._lower(size)

    def _lower(self, size: int) -> None:
        """Take smaller steps from now on, and give back what the larger ones held."""
        self.out_of_memory += 1
        self.largest = max(1, bucket(size, self.largest) // 2)
        self._steps = {held: step for held, step in self._steps.items() if held <= self.largest}
        if self.on_gpu:
            torch.cuda.empty_cache()
        log.warning("device_memory", failed_step=size, largest_step=self.largest, times=self.out_of_memory)

    def _brought(self, output: Any, count: int) -> Any:  # noqa: ANN401 - a detector's own affair
        """The first `count` rows of what a step saw, on their way to the processor's memory."""
        return type(output)(*(_to_host(value[:count]) for value in output))

    def _read(self, flight: Flight, face_px: Sequence[float]) -> tuple[list[float], NDArray[np.uint8]]:
        logits: list[float] = []
        for step in flight.steps:
            logits += self.detector.logits(step, face_px[len(logits) : len(logits) + len(step[0])])
        edges = torch.cat([self.detector.boundaries(step) for step in flight.steps])
        return logits, (edges * 255.0).round().to(torch.uint8).numpy()


def _as_it_is(step: Step) -> Step:
    return step


def _to_host(value: Tensor) -> Tensor:
    if value.device.type == "cpu":
        return value
    return torch.empty(value.shape, dtype=value.dtype, pin_memory=True).copy_(value, non_blocking=True)
