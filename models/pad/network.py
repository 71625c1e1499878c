# SPDX-License-Identifier: Apache-2.0
"""A wide picture of a face in, logits of bona fide, replay and print out: one branch for context, one for detail.

Context tells a display or a sheet by its edge, its light and its colours; detail, at full resolution, by moire, dots
and grain. Two scales of one face are how small networks of this kind are usually fed (Silent-Face-Anti-Spoofing, 2020).
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["CLASSES", "CONTRACT", "VIEW_PX", "WIDE_PX", "PadNetwork", "attack_logit", "fold", "views"]

CLASSES: Final = ("bona_fide", "replay", "print")
WIDE_PX: Final = 192
VIEW_PX: Final = 96
CONTRACT: Final = "face-rgb8-192-margin1.95-v1"
"""uint8 RGB, upright square of 1.95 x the face box, smoothed over time; beyond the picture its edge is repeated."""

CHANNELS: Final = ((16, 2), (24, 2), (40, 1), (56, 2), (56, 1), (72, 2), (72, 1))
"""Channels and stride of a branch's convolutions."""

HIDDEN: Final = 48
GREY: Final = 127.5
SPREAD: Final = 64.0


class Views(NamedTuple):
    """Float32 [B, 3, 96, 96]: the whole picture at half its resolution, and its middle at full resolution."""

    context: Tensor
    detail: Tensor


class PadNetwork(nn.Module):
    """About 0.3 million parameters; `seen` says which branches take part, for ablations."""

    def __init__(self, seen: tuple[str, ...] = Views._fields) -> None:
        super().__init__()
        self.branches = nn.ModuleDict({name: _branch() for name in seen})
        self.head = nn.Sequential(
            nn.Dropout(0.3), nn.Linear(2 * CHANNELS[-1][0] * len(seen), HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 3)
        )

    def forward(self, wide: Tensor) -> Tensor:
        """Judge pictures uint8 [B, 192, 192, 3]: logits float32 [B, 3] in the order of `CLASSES`."""
        seen = views(wide)._asdict()
        parts = [branch(seen[name]) for name, branch in self.branches.items()]
        pooled = [pool for part in parts for pool in (part.mean(dim=(2, 3)), part.amax(dim=(2, 3)))]
        logits: Tensor = self.head(torch.cat(pooled, dim=1))
        return logits


def views(wide: Tensor) -> Views:
    """Cut the two views out of pictures uint8 [B, 192, 192, 3]; raises `ValueError` for anything else."""
    if wide.dtype != torch.uint8 or wide.shape[1:] != (WIDE_PX, WIDE_PX, 3):
        raise ValueError(f"pictures must be uint8 [B, {WIDE_PX}, {WIDE_PX}, 3], not {wide.dtype} {list(wide.shape)}")
    levels = (wide.permute(0, 3, 1, 2).float() - GREY) / SPREAD
    start = (WIDE_PX - VIEW_PX) // 2
    middle = slice(start, start + VIEW_PX)
    return Views(nn.functional.avg_pool2d(levels, WIDE_PX // VIEW_PX), levels[:, :, middle, middle])


def attack_logit(logits: Tensor) -> Tensor:
    """Log-odds of an attack of either kind, float32 [B], of logits [B, 3]."""
    return torch.logsumexp(logits[:, 1:], dim=1) - logits[:, 0]


def fold(network: PadNetwork) -> None:
    """Fold every normalisation into the convolution before it, in place; for a network in `eval` mode only."""
    for name, branch in network.branches.items():
        assert isinstance(branch, nn.Sequential)
        layers = list(branch)
        convolved = [_fused(conv, norm) for conv, norm in zip(layers[::3], layers[1::3], strict=True)]
        rectified = zip(convolved, layers[2::3], strict=True)
        network.branches[name] = nn.Sequential(*(part for pair in rectified for part in pair))


def _fused(conv: nn.Module, norm: nn.Module) -> nn.Module:
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    return fuse_conv_bn_eval(conv, norm)


def _branch() -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for channels, stride in CHANNELS:
        layers += [nn.Conv2d(before, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
        before = channels
    return nn.Sequential(*layers)
