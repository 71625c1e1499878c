# SPDX-License-Identifier: Apache-2.0
"""Pictures in, the same pictures painted anew out: one encoder, a narrow middle, several decoders."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.generators.blocks import FiniteQuantiser, convolution, painting, upsampling

__all__ = ["Autoencoder", "AutoencoderPlan"]


@dataclass(frozen=True, slots=True)
class AutoencoderPlan:
    """`encoder` channels from half the side down, one per halving; `latent` channels in the middle; `decoder` channels
    back up to half the side; `upsamplers` one per decoder; `levels` of a quantised latent (none: it is not); colours
    are also handed on in cells of `coarse` pixels (0: they are not), which spares the decoders to learn them.
    """

    encoder: tuple[int, ...]
    latent: int
    decoder: tuple[int, ...]
    upsamplers: tuple[str, ...]
    levels: tuple[int, ...] = ()
    coarse: int = 0


class Autoencoder(nn.Module):
    """A shared encoder with several decoders, after DeepFaceLab (Perov et al. 2020); sides in multiples of 16."""

    def __init__(self, plan: AutoencoderPlan) -> None:
        super().__init__()
        self.coarse = plan.coarse
        self.encoder = _encoder(plan)
        self.decoders = nn.ModuleList(_decoder(plan, kind) for kind in plan.upsamplers)

    def forward(self, pictures: Tensor, decoder: int) -> Tensor:
        """Send float pictures [N, 3, S, S] in -1..1 through one of the decoders; the same shape."""
        painted: Tensor = self.decoders[decoder](self.encoder(pictures))
        return self._tinted(painted, pictures)

    def each(self, pictures: Tensor) -> Tensor:
        """Give each decoder its equal share of the pictures, in order; N divides by the number of decoders."""
        shares = self.encoder(pictures).chunk(len(self.decoders))
        painted = torch.cat([decoder(share) for decoder, share in zip(self.decoders, shares, strict=True)])
        return self._tinted(painted, pictures)

    def _tinted(self, painted: Tensor, pictures: Tensor) -> Tensor:
        if not self.coarse:
            return painted
        cells = functional.avg_pool2d(pictures, self.coarse)
        return painted + functional.interpolate(cells, scale_factor=self.coarse, mode="bilinear")


def _encoder(plan: AutoencoderPlan) -> nn.Sequential:
    layers: list[nn.Module] = [nn.PixelUnshuffle(2), convolution(12, plan.encoder[0])]
    for inputs, outputs in pairwise(plan.encoder):
        layers.append(convolution(inputs, outputs, stride=2))
    layers.append(nn.Conv2d(plan.encoder[-1], plan.latent, 1))
    if plan.levels:
        layers.append(FiniteQuantiser(plan.levels))
    return nn.Sequential(*layers)


def _decoder(plan: AutoencoderPlan, kind: str) -> nn.Sequential:
    layers: list[nn.Module] = [convolution(plan.latent, plan.decoder[0])]
    for inputs, outputs in pairwise(plan.decoder):
        layers.append(upsampling(kind, inputs, outputs))
    return nn.Sequential(*layers, painting(kind, plan.decoder[-1]))
