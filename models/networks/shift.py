# SPDX-License-Identifier: Apache-2.0
"""Causal temporal shift: a clip's features and the last frame's channels in, features mixed in time out."""

import torch
from torch import Tensor

__all__ = ["shift_channels", "shift_width"]

SHIFTED_SHARE = 8


def shift_width(channels: int) -> int:
    """Channels that come from the frame before: one eighth (Lin et al., TSM, ICCV 2019, online variant)."""
    return channels // SHIFTED_SHARE


def shift_channels(features: Tensor, cache: Tensor, fresh: Tensor) -> tuple[Tensor, Tensor]:
    """Replace the first eighth of the channels by those of the frame before.

    `features` float [B, T, C, H, W]; `cache` float [B, C // 8, H, W] holds the channels of the frame before the
    clip; `fresh` bool [B] says that there was none, so that the first frame takes its own (a still stays a still).
    Returns the mixed features and the cache for the next clip.
    """
    width = cache.shape[1]
    own = features[:, :, :width]
    first = torch.where(fresh.view(-1, 1, 1, 1), own[:, 0], cache.to(own.dtype))
    before = torch.cat((first.unsqueeze(1), own[:, :-1]), dim=1)
    return torch.cat((before, features[:, :, width:]), dim=2), own[:, -1].float()
