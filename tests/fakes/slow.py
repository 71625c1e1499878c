# SPDX-License-Identifier: Apache-2.0
"""A detector that another process can load by its name, and that can be caught in the middle of a step."""

import time

from torch import Tensor

from tests.fakes.detector import FakeDetector, FakeOutput

__all__ = ["bright"]

LONG_S = 60.0


class Sticking(FakeDetector):
    """A step on white faces never ends."""

    def step(self, crops: Tensor, state: tuple[Tensor, ...]) -> tuple[FakeOutput, tuple[Tensor, ...]]:
        """One step of each track."""
        if crops.min() == 255:
            time.sleep(LONG_S)
        return super().step(crops, state)


def bright(_name: str, _device: str) -> FakeDetector:
    """The detector."""
    return Sticking()
