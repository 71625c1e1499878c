# SPDX-License-Identifier: Apache-2.0
"""The network's output on a paired batch in, the loss and its parts out."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that every reader of torch code expects

from models.learning.recipe import Recipe
from models.networks.stream import ClipOutput

__all__ = ["LossParts", "paired_loss"]


@dataclass(frozen=True, slots=True, eq=False)
class LossParts:
    """Scalars: the sum to minimise and what it is made of."""

    total: Tensor
    label: Tensor
    rank: Tensor
    boundary: Tensor


def paired_loss(output: ClipOutput, boundary: Tensor, recipe: Recipe) -> LossParts:
    """Judge P real clips followed by their P forged twins.

    Binary cross-entropy of every frame's logit, with and without the temporal layers; a ranking term that asks each
    twin to lie above its own original, whatever the camera; cross-entropy of the boundary map, whose target is
    `boundary` [P, T, 14, 14] for the forged and nothing for the real.
    """
    pairs, frames = boundary.shape[:2]
    target = torch.full((2 * pairs, frames), recipe.smoothing, device=boundary.device)
    target[pairs:] = 1.0 - recipe.smoothing
    label = F.binary_cross_entropy_with_logits(output.logit, target)
    still = F.binary_cross_entropy_with_logits(output.still_logit, target)
    rank = F.softplus(output.logit[:pairs] - output.logit[pairs:]).mean()
    wanted = torch.cat((torch.zeros_like(boundary), boundary))
    edges = F.binary_cross_entropy_with_logits(output.boundary, wanted)
    total = label + recipe.still_weight * still + recipe.rank_weight * rank + recipe.boundary_weight * edges
    return LossParts(total, label, rank, edges)
