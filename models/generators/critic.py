# SPDX-License-Identifier: Apache-2.0
"""Painted and real pictures in, how unlike they are out: multi-scale differences, and a critic of patches."""

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Critic", "critic_loss", "likeness_loss", "persuasion_loss", "same_patch"]

SCALES: Final = 3
DETAIL_WEIGHT: Final = 1.5
PATCH_PX: Final = 64


class Critic(nn.Module):
    """Says of each patch whether it is real (Isola et al., CVPR 2017, much reduced), and shows its features."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 40, 56)
        self.layers = nn.ModuleList(
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(inputs, outputs, 4, 2, 1))
            for inputs, outputs in pairwise(widths)
        )
        self.verdict = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Pictures [N, 3, S, S] to verdicts [N, 1, S / 8, S / 8], above 0 for real, and features."""
        features, seen = pictures, []
        for layer in self.layers:
            features = functional.leaky_relu(layer(features), 0.2)
            seen.append(features)
        return self.verdict(features), seen


def likeness_loss(painted: Tensor, real: Tensor) -> Tensor:
    """Mean absolute difference, and that of the detail at three scales (Laplacian pyramid, Burt and Adelson 1983)."""
    difference = painted.float() - real
    loss = difference.abs().mean()
    for _ in range(SCALES):
        coarse = functional.avg_pool2d(difference, 2)
        detail = difference - functional.interpolate(coarse, scale_factor=2, mode="nearest")
        loss = loss + DETAIL_WEIGHT * detail.abs().mean()
        difference = coarse
    return loss


def critic_loss(critic: Critic, painted: Tensor, real: Tensor) -> Tensor:
    """Hinge loss that teaches the critic."""
    verdicts, _ = critic(torch.cat([real, painted.detach()]))
    of_real, of_painted = verdicts.float().chunk(2)
    return functional.relu(1.0 - of_real).mean() + functional.relu(1.0 + of_painted).mean()


def persuasion_loss(critic: Critic, painted: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """What the painter learns from the critic: (be taken for real, cause the same features)."""
    verdicts, seen = critic(torch.cat([painted, real]))
    fooled = -verdicts.float().chunk(2)[0].mean()
    pairs = [layer.float().chunk(2) for layer in seen]
    alike = torch.stack([(mine - target.detach()).abs().mean() for mine, target in pairs]).mean()
    return fooled, alike


def same_patch(painted: Tensor, real: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cut the same random patch out of both."""
    room = painted.shape[-1] - PATCH_PX
    top, left = (int(torch.randint(room + 1, (), generator=generator)) for _ in range(2))
    rows, columns = slice(top, top + PATCH_PX), slice(left, left + PATCH_PX)
    return painted[:, :, rows, columns], real[:, :, rows, columns]
