# SPDX-License-Identifier: Apache-2.0
"""A picture to be mended and where the face's features should be in, a painted picture out: a small U-Net."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.generators.blocks import convolution, painting, upsampling

__all__ = ["Painter", "PainterPlan"]


@dataclass(frozen=True, slots=True)
class PainterPlan:
    """`inputs` channels in; `widths` from half the side down, one per halving; the `upsampler` back up."""

    inputs: int
    widths: tuple[int, ...]
    upsampler: str


class Painter(nn.Module):
    """Skips join from half the side down, none at the full side: every pixel that comes out was painted."""

    def __init__(self, plan: PainterPlan) -> None:
        super().__init__()
        first = plan.widths[0]
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), convolution(4 * plan.inputs, first))
        self.down = nn.ModuleList(convolution(inputs, outputs, stride=2) for inputs, outputs in pairwise(plan.widths))
        rising = plan.widths[::-1]
        self.up = nn.ModuleList(upsampling(plan.upsampler, inputs, outputs) for inputs, outputs in pairwise(rising))
        self.join = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in rising[1:])
        self.last = painting(plan.upsampler, first)

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs [N, C, S, S] in -1..1, S a multiple of 16, to pictures [N, 3, S, S]."""
        features = self.stem(inputs)
        skips = []
        for down in self.down:
            skips.append(features)
            features = down(features)
        for up, join in zip(self.up, self.join, strict=True):
            features = join(torch.cat([up(features), skips.pop()], dim=1))
        painted: Tensor = self.last(features)
        return painted
