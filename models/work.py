# SPDX-License-Identifier: Apache-2.0
"""A network in, the arithmetic and the traffic of one look out: what no device can do without."""

from typing import Any, Final, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from models.networks.stream import StreamNetwork

__all__ = ["Work", "count"]

CONVOLUTION: Final = torch.ops.aten.convolution.default
PRODUCTS: Final = {torch.ops.aten.addmm.default: 1, torch.ops.aten.mm.default: 0}
"""Matrix products, and the place of their first factor."""


class Work(NamedTuple):
    """Of one crop looked at once: `flops` counts a multiplication and an addition as two; `values` are read and
    written by the layers beside the `weights`, which a step reads once, however many crops it has.
    """

    flops: int
    values: int
    weights: int


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the layers with weights; everything else can be done while their values pass by."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.work = Work(0, 0, 0)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        result = func(*args, **(kwargs or {}))
        if func is CONVOLUTION:
            picture, weight = args[0], args[1]
            self._add(result.numel() * weight[0].numel(), picture.numel() + result.numel(), weight.numel())
        elif func in PRODUCTS:
            left, right = args[PRODUCTS[func] :][:2]
            self._add(result.numel() * left.shape[1], left.numel() + result.numel(), right.numel())
        return result

    def _add(self, products: int, values: int, weights: int) -> None:
        before = self.work
        self.work = Work(before.flops + 2 * products, before.values + values, before.weights + weights)


@torch.no_grad()
def count(network: StreamNetwork) -> Work:
    """Count one look at one crop, by running it."""
    device = network.still.weight.device
    crop = torch.zeros(1, 1, network.crop_px, network.crop_px, 3, dtype=torch.uint8, device=device)
    counting = _Counting()
    with counting:
        network(crop, network.new_state(1, device))
    return counting.work
