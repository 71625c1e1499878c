# SPDX-License-Identifier: Apache-2.0
"""One way to run the network and crops of faces in, what its steps cost here and how far it is off out."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.ways import CLOSE, Absent, Way, farthest
from monitor.liveness.runner import Runner

__all__ = ["CLOSE", "Note", "Stand", "Trial", "clocked", "silent"]

LEAST_STEPS: Final = 3
COMPILE_S: Final = 120.0
"""Once compiling has taken so long, no further size of step is compiled."""

Note = Callable[[str], None]
Crops = Sequence[NDArray[np.uint8]]


def silent(_: str) -> None:
    """Say nothing."""


class Trial(NamedTuple):
    """One way on so many threads: milliseconds of the processor, or of a GPU's time, per crop by batch.

    `off` is the largest difference in logits from torch in float32. `settings` choose the way; there are none where it
    cannot be chosen. `absent` says why it was not tried. `compile_s` is what compiling took by the clock, by batch.
    """

    way: str
    threads: int
    settings: Mapping[str, str]
    ms: Mapping[int, float]
    off: float | None
    absent: str = ""
    compile_s: Mapping[int, float] = MappingProxyType({})

    @property
    def allowed(self) -> bool:
        """Whether it judges as the reference does, and there are settings for it."""
        return bool(self.settings) and self.off is not None and self.off <= CLOSE


class Stand(NamedTuple):
    """Where ways are tried: `looks` uint8 [T, N, S, S, 3] at the same N faces, held against the same `reference`.

    Each figure is the least of what fits into so many seconds; `note` is told of each size that is compiled.
    """

    reference: Any
    looks: Tensor
    batches: Sequence[int]
    seconds: float
    note: Note

    def trial(self, way: Way | Absent, threads: int) -> Trial:
        """What a way costs on the threads that torch has now; absent with the reason where it cannot be compiled."""
        if isinstance(way, Absent):
            return Trial(way.name, threads, {}, {}, None, way.why)
        if not way.compiles:
            off = farthest(way.detector, self.reference, self.looks)
            ms = {batch: self._ms(Runner(way.detector, batch, batch), batch) for batch in self.batches}
            return Trial(way.name, threads, way.settings, ms, off)
        try:
            return self._compiled(way, threads)
        except RuntimeError as error:
            why = str(error).strip().partition("\n")[0]
            return Trial(way.name, threads, {}, {}, None, f"could not be compiled: {why}")

    def _compiled(self, way: Way, threads: int) -> Trial:
        found = list(self._sizes(way))
        least = self.looks[:, : self.batches[0]].contiguous()
        off = farthest(way.detector, self.reference, least)
        ms = {batch: ms for batch, _, ms in found}
        return Trial(way.name, threads, way.settings, ms, off, compile_s={batch: took for batch, took, _ in found})

    def _sizes(self, way: Way) -> Iterator[tuple[int, float, float]]:
        """Each size of step, how long it compiled by the clock, and milliseconds per crop then."""
        left_s = COMPILE_S
        for batch in self.batches:
            if left_s <= 0:
                return
            self.note(f"{way.name}: compiling steps of {batch} …")
            runner, began_s = Runner(way.detector, batch, batch), time.perf_counter()
            clocked(runner, self._crops(batch), 0.0)
            took_s = time.perf_counter() - began_s
            left_s -= took_s
            yield batch, took_s, self._ms(runner, batch)

    def _ms(self, runner: Runner, batch: int) -> float:
        return 1000.0 * clocked(runner, self._crops(batch), self.seconds) / batch

    def _crops(self, batch: int) -> Crops:
        return list(islice(cycle(self.looks.flatten(0, 1).numpy()), batch))


def clocked(runner: Runner, crops: Crops, seconds: float) -> float:
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
