# SPDX-License-Identifier: Apache-2.0
"""A step on static buffers in, the same step recorded as a CUDA graph out."""

from collections.abc import Callable
from typing import TypeVar

import torch

__all__ = ["Graphs"]

Seen = TypeVar("Seen")
TRIALS = 3
"""Runs before recording: libraries choose their kernels and take their memory in them."""


class Graphs:
    """Records steps; all of them share one pool of memory, because no two run at a time."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()
        torch.backends.cudnn.benchmark = True

    def record(self, step: Callable[[], Seen]) -> Callable[[], Seen]:
        """What does the same as `step` in one launch; it always returns the same tensors, filled anew."""
        with torch.cuda.device(self._device):
            aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(TRIALS):
                    step()
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                seen = step()

        def replay() -> Seen:
            graph.replay()
            return seen

        return replay
