# SPDX-License-Identifier: Apache-2.0
"""The network's output on a paired batch in, the loss and its parts out."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that every reader of torch code expects

from models.data.batches import FOREIGN, Batch
from models.learning.recipe import Recipe
from models.networks.stream import ClipOutput

__all__ = ["LossParts", "paired_loss"]


@dataclass(frozen=True, slots=True, eq=False)
class LossParts:
    """Scalars: the sum to minimise and what it is made of."""

    total: Tensor
    label: Tensor
    rank: Tensor
    tail: Tensor
    boundary: Tensor
    attack: Tensor
    quality: Tensor


def paired_loss(output: ClipOutput, batch: Batch, recipe: Recipe) -> LossParts:
    """Judge P real clips followed by their P forged twins.

    Binary cross-entropy of every frame's logit, with and without the temporal layers; a ranking term that asks each
    twin to lie above its own original, whatever the camera; one that asks every forgery to lie above the bona fide
    people who look most forged, since they set the threshold; cross-entropy of the boundary map, whose target is
    the batch's map for the forged and nothing for the real, left out where the forgery is another maker's and its
    boundary is unknown; cross-entropy of the kind of attack, of the forged; squared error of the quality, of both.
    """
    pairs, frames = batch.boundary.shape[:2]
    target = torch.full((2 * pairs, frames), recipe.smoothing, device=output.logit.device)
    target[pairs:] = 1.0 - recipe.smoothing
    label = F.binary_cross_entropy_with_logits(output.logit, target)
    still = F.binary_cross_entropy_with_logits(output.still_logit, target)
    rank = F.softplus(output.logit[:pairs] - output.logit[pairs:]).mean()
    tail = _tail_loss(output.logit.mean(dim=1))
    edges = _boundary_loss(output.boundary, batch)
    kinds = batch.attack.unsqueeze(1).expand(-1, frames).flatten()
    attack = F.cross_entropy(output.attack[pairs:].flatten(0, 1), kinds)
    quality = F.mse_loss(
        output.quality, torch.cat((batch.quality, batch.quality)).unsqueeze(1).expand_as(output.quality)
    )
    total = (
        label
        + recipe.still_weight * still
        + recipe.rank_weight * rank
        + recipe.tail_weight * tail
        + recipe.boundary_weight * edges
        + recipe.attack_weight * attack
        + recipe.quality_weight * quality
    )
    return LossParts(total, label, rank, tail, edges, attack, quality)


def _tail_loss(means: Tensor) -> Tensor:
    """`means` [2 P]: softplus of (worst bona fide - forged), the worst being a softmax average over the batch.

    A smooth form of the partial AUC at few false alarms (Narasimhan and Agarwal, ICML 2013).
    """
    real, forged = means.chunk(2)
    worst = (torch.softmax(real.detach(), dim=0) * real).sum()
    return F.softplus(worst - forged).mean()


def _boundary_loss(boundary: Tensor, batch: Batch) -> Tensor:
    known = torch.tensor([not kind.startswith(FOREIGN) for kind in batch.kinds], device=boundary.device)
    wanted = torch.cat((torch.zeros_like(batch.boundary), batch.boundary))
    each = F.binary_cross_entropy_with_logits(boundary, wanted, reduction="none").mean(dim=(1, 2, 3))
    return (each * torch.cat((torch.ones_like(known), known))).sum() / (len(known) + known.sum())
