# SPDX-License-Identifier: Apache-2.0
"""Batches of crops in, logits and maps out, in steps that fit the device; what a device that fails does to them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import structlog
import torch
from numpy.typing import NDArray

from monitor.errors import DeviceLostError, DeviceMemoryError
from monitor.liveness.buckets import bucket, buckets
from monitor.liveness.detector import Detector
from monitor.liveness.faults import named
from monitor.liveness.steps import Crops, Prepare, Steps

__all__ = ["CPU_STEP", "GPU_STEP", "GPU_WAIT_MS", "Flight", "Runner"]

CPU_STEP: Final = 4
GPU_STEP: Final = 256
"""Most crops in one step unless told; docs/decisions/0060."""

GPU_WAIT_MS: Final = 8.0
"""Longest wait for a batch to fill unless told; a CPU waits for nobody."""

log = structlog.get_logger()


class Flight:
    """A batch on its way through the device: what each of its steps saw, in order, once it has landed."""

    def __init__(self) -> None:
        self.steps: list[Any] = []
        self.landing: torch.cuda.Event | None = None


class Runner:
    """Runs batches on a detector and its tracks' state; used by one thread only.

    A batch is cut into steps of at most `largest` crops; `padded` and `prepare` are as in `Steps`.
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
            self._steps = Steps(detector, tracks, _most(largest), padded=padded, prepare=prepare)

    @property
    def largest(self) -> int:
        """Most crops in one step; less when the device's memory ran short."""
        return self._steps.largest

    @property
    def on_gpu(self) -> bool:
        """Whether steps run beside the processor."""
        return self._steps.on_gpu

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the steps that were made so far."""
        return self._steps.sizes

    @property
    def state_bytes(self) -> int:
        """Memory of the state pool."""
        return self._steps.state_bytes

    def warm_up(self) -> None:
        """Make the step of every bucket; raises DeviceMemoryError where there is no memory for the smallest.

        Without padding steps have any size, and nothing is gained by trying.
        """
        for size in buckets(self.largest) if self._steps.padded else ():
            if size <= self.largest and not self._made(size):
                self._lower(size)

    @torch.inference_mode()
    def launch(self, slots: Sequence[int], fresh: Sequence[int], crops: Crops) -> Flight:
        """Begin a look at one crop uint8 [S, S, 3] of each slot, `fresh` ones from an empty state.

        A step that finds no memory is tried once more in halves. Raises DeviceMemoryError when that fails, too, and
        DeviceLostError once the device is lost; a step that raises leaves the state of its tracks as it was.
        """
        if self.lost is not None:
            raise self.lost.with_traceback(None)
        with self._watched():
            self._steps.reset(fresh)
            return self._launched(slots, crops)

    def land(self, flight: Flight, face_px: Sequence[float]) -> tuple[list[float], NDArray[np.uint8]]:
        """Wait for the batch: a logit of each crop, and its boundary map uint8 [B, n, n], 255 for certain.

        Raises DeviceLostError when the device was lost on the way.
        """
        if flight.landing is not None:
            with self._watched():
                flight.landing.synchronize()
        logits: list[float] = []
        for step in flight.steps:
            logits += self.detector.logits(step, face_px[len(logits) : len(logits) + len(step[0])])
        edges = torch.cat([self.detector.boundaries(step) for step in flight.steps])
        return logits, (edges * 255.0).round().to(torch.uint8).numpy()

    def _launched(self, slots: Sequence[int], crops: Crops) -> Flight:
        flight, begin, last_try = Flight(), 0, False
        while begin < len(slots):
            part = slice(begin, begin + self.largest)
            if self._stepped(flight, slots[part], crops[part], last_try=last_try):
                begin = part.stop
            else:
                last_try = True
                self._lower(len(slots[part]))
        if self.on_gpu:
            flight.landing = torch.cuda.Event()  # type: ignore[no-untyped-call]
            flight.landing.record()
        return flight

    def _stepped(self, flight: Flight, slots: Sequence[int], crops: Crops, *, last_try: bool) -> bool:
        try:
            with named():
                flight.steps.append(self._steps.run(slots, crops))
        except DeviceMemoryError:
            if last_try:
                self._lower(len(slots))
                raise
            return False
        return True

    @torch.inference_mode()
    def _made(self, size: int) -> bool:
        try:
            with named():
                self._steps.make(size)
        except DeviceMemoryError:
            if size == 1:
                raise
            return False
        return True

    def _lower(self, size: int) -> None:
        """Take smaller steps; only once the error is gone, which holds the failed step's memory."""
        self.out_of_memory += 1
        self._steps.lower(max(1, bucket(size, self.largest) // 2))
        log.warning("device_memory", failed_step=size, largest_step=self.largest, times=self.out_of_memory)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Name what the device throws, and remember when it is lost."""
        try:
            with named():
                yield
        except DeviceLostError as error:
            self.lost = error
            raise


def _most(largest: int | None) -> Callable[[str], int]:
    return lambda device: largest or (GPU_STEP if device == "cuda" else CPU_STEP)
