# SPDX-License-Identifier: Apache-2.0
"""What the generators are built of: convolutions, four ways to double a side, a quantised latent."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["UPSAMPLERS", "FiniteQuantiser", "convolution", "folded", "painting", "upsampling"]

UPSAMPLERS: Final = ("transposed", "nearest", "bilinear", "shuffle")
SLOPE: Final = 0.1


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Convolve 3x3, normalise, bend."""
    return _activated(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), outputs)


def upsampling(kind: str, inputs: int, outputs: int) -> nn.Sequential:
    """Double the side by one of `UPSAMPLERS`; each leaves another periodic trace (Odena et al., Distill 2016)."""
    if kind == "shuffle":
        return nn.Sequential(convolution(inputs, 4 * outputs), nn.PixelShuffle(2))
    if kind == "transposed":
        return _activated(_transposed(inputs, outputs), outputs)
    return nn.Sequential(_stretched(kind), convolution(inputs, outputs))


def painting(kind: str, inputs: int) -> nn.Module:
    """Double the side a last time, straight into the three colours, so that the way of doing it shows."""
    if kind == "shuffle":
        return nn.Sequential(nn.Conv2d(inputs, 12, 3, padding=1), nn.PixelShuffle(2))
    if kind == "transposed":
        return _transposed(inputs, 3, bias=True)
    return nn.Sequential(_stretched(kind), nn.Conv2d(inputs, 3, 3, padding=1))


def _transposed(inputs: int, outputs: int, *, bias: bool = False) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=bias)


def _stretched(kind: str) -> nn.Upsample:
    if kind not in UPSAMPLERS:
        raise ValueError(f"no way to double a side is named {kind!r}: {', '.join(UPSAMPLERS)}")
    return nn.Upsample(scale_factor=2, mode=kind)


class FiniteQuantiser(nn.Module):
    """Round each latent channel to few levels, straight through for gradients (Mentzer et al., ICLR 2024)."""

    reach: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        reach = torch.tensor([(count - 1) / 2 for count in levels]).reshape(1, -1, 1, 1)
        self.register_buffer("reach", reach, persistent=False)

    def forward(self, latent: Tensor) -> Tensor:
        """Latent [N, C, H, W] in, the same on a grid within -1..1 out; C is the number of `levels`."""
        bounded = torch.tanh(latent.float()) * self.reach
        rounded = bounded + (bounded.round() - bounded).detach()
        return rounded / self.reach


def folded(network: nn.Module) -> nn.Module:
    """Fold every normalisation into the convolution before it, in place; for a network in `eval` mode only."""
    for part in network.modules():
        if isinstance(part, nn.Sequential) and len(part) == 3 and isinstance(part[1], nn.BatchNorm2d):
            linear = part[0]
            assert isinstance(linear, nn.Conv2d | nn.ConvTranspose2d)
            part[0] = fuse_conv_bn_eval(linear, part[1], transpose=isinstance(linear, nn.ConvTranspose2d))
            part[1] = nn.Identity()
    return network


def _activated(linear: nn.Module, outputs: int) -> nn.Sequential:
    return nn.Sequential(linear, nn.BatchNorm2d(outputs), nn.LeakyReLU(SLOPE, inplace=True))
