# SPDX-License-Identifier: Apache-2.0
"""Causal depthwise temporal convolutions: one feature a frame in, one feature a frame out, explicit state."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that every reader of torch code expects

__all__ = ["TemporalHead"]

KERNEL: Final = 3
DILATIONS: Final = (1, 2)
"""Seven frames are seen, 1.4 s at five a second: no more than the training clips hold (see the card)."""


class TemporalLayer(nn.Module):
    """A causal depthwise convolution over time, a pointwise one, and the input added."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.past = (KERNEL - 1) * dilation
        self.norm = nn.LayerNorm(width)
        self.depthwise = nn.Conv1d(width, width, KERNEL, dilation=dilation, groups=width)
        self.pointwise = nn.Linear(width, width)

    def forward(self, values: Tensor, cache: Tensor, fresh: Tensor) -> tuple[Tensor, Tensor]:
        """`values` [B, T, W], `cache` [B, W, past]; a fresh track takes its first frame for its past."""
        normed = self.norm(values).transpose(1, 2)
        own = normed[:, :, :1].expand(-1, -1, self.past)
        past = torch.where(fresh.view(-1, 1, 1), own, cache.to(normed.dtype))
        padded = torch.cat((past, normed), dim=2)
        mixed = F.relu(self.depthwise(padded)).transpose(1, 2)
        return values + self.pointwise(mixed), padded[:, :, -self.past :].float()


class TemporalHead(nn.Module):
    """Temporal layers one after the other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.ModuleList(TemporalLayer(width, dilation) for dilation in DILATIONS)

    def cache_shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape of each layer's cache, without the track's dimension."""
        return tuple((self.width, (KERNEL - 1) * dilation) for dilation in DILATIONS)

    def forward(self, values: Tensor, caches: Sequence[Tensor], fresh: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """`values` float [B, T, W]; returns the same shape and the caches after the clip."""
        after: list[Tensor] = []
        for layer, cache in zip(self.layers, caches, strict=True):
            values, kept = layer(values, cache, fresh)
            after.append(kept)
        return values, tuple(after)
