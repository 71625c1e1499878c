# SPDX-License-Identifier: Apache-2.0
"""Batches in, better weights out: one optimiser step after another, on one device or on several alike."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from models.data.batches import Batch
from models.errors import TrainingError
from models.learning.average import AveragedWeights
from models.learning.checkpoint import Progress, restore, save
from models.learning.loss import LossParts, paired_loss
from models.learning.recipe import Recipe
from models.networks.stream import ClipOutput, StreamNetwork

__all__ = ["Trainer", "look", "new_network"]


class Trainer:
    """One run: network, average, optimiser and progress; `minutes` bounds the time, the cosine ends with it.

    In a process group (`torch.distributed`) every process learns from batches of its own and gradients are averaged.
    """

    def __init__(self, recipe: Recipe, minutes: float | None = None, device: str = "cpu") -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.minutes = minutes
        self.device = torch.device(device)
        self.network = new_network(recipe).to(self.device)
        self.average = AveragedWeights(self.network, recipe.average_decay)
        self.optimiser = _optimiser(self.network, recipe)
        self.progress = Progress()
        self._shared: nn.Module | None = None

    @property
    def done(self) -> float:
        """Share 0..1 of the run that is behind us, by steps or by time, whichever is further."""
        by_time = self.progress.spent_s / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(self.progress.step / self.recipe.steps, by_time))

    def step(self, batch: Batch) -> LossParts:
        """Learn from one batch; raises `TrainingError` when the loss is no number."""
        started = time.monotonic()
        self.set_rates()
        self.network.train()
        _hold_norms(self.network)
        there = batch.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            output = look(self.network, there.clips, temporal=self.recipe.temporal, through=self._alike())
        parts = paired_loss(output, there, self.recipe)
        if not math.isfinite(float(parts.total.detach())):
            raise TrainingError(f"the loss is not a number at step {self.progress.step}: the last checkpoint is kept")
        self.optimiser.zero_grad(set_to_none=True)
        parts.total.backward()  # type: ignore[no-untyped-call]
        steepness = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        if not math.isfinite(float(steepness)):
            raise TrainingError(f"a gradient is not a number at step {self.progress.step}: the last checkpoint is kept")
        self.optimiser.step()
        self.progress.step += 1
        self.average.update(self.network, self.progress.step)
        self.progress.spent_s += time.monotonic() - started
        return parts

    def set_rates(self) -> None:
        """Set the learning rates for the share of the run that is behind us."""
        warm = min(1.0, (self.progress.step + 1) / self.recipe.warm_up_steps)
        falling = 0.5 * (1.0 + math.cos(math.pi * self.done))
        factor = warm * (self.recipe.least_rate + (1.0 - self.recipe.least_rate) * falling)
        for group in self.optimiser.param_groups:
            group["lr"] = group["full_rate"] * factor

    def save(self, file: Path) -> None:
        """Write a checkpoint."""
        save(
            file,
            network=self.network,
            average=self.average,
            optimiser=self.optimiser,
            progress=self.progress,
            recipe=self.recipe,
        )

    def restore(self, file: Path) -> None:
        """Go on from a checkpoint; raises `TrainingError` when it is of another network."""
        self.progress = restore(file, self.network, self.average, self.optimiser)

    @torch.no_grad()
    def check(self, batches: Sequence[Batch]) -> dict[str, float]:
        """Judge pairs of people never learnt from with the averaged weights."""
        judge = new_network(self.recipe).to(self.device)
        judge.load_state_dict(self.average.values)
        judge.eval()
        real, fake = [], []
        for batch in batches:
            output = look(judge, batch.to(self.device).clips, temporal=self.recipe.temporal)
            mean = output.logit.mean(dim=1).float().cpu().numpy()
            real.append(mean[: len(mean) // 2])
            fake.append(mean[len(mean) // 2 :])
        bona_fide, forged = np.concatenate(real), np.concatenate(fake)
        above = (forged[:, None] > bona_fide[None]).mean()
        return {"held_out_auc": float(above), "held_out_pairs": float((forged > bona_fide).mean())}

    def _alike(self) -> nn.Module:
        """The network, in a process group behind torch's own averaging of gradients."""
        if self._shared is None:
            grouped = torch.distributed.is_available() and torch.distributed.is_initialized()
            wrap = nn.parallel.DistributedDataParallel
            self._shared = wrap(self.network, broadcast_buffers=False) if grouped else self.network
        return self._shared


def look(network: StreamNetwork, clips: Tensor, *, temporal: bool, through: nn.Module | None = None) -> ClipOutput:
    """Judge clips uint8 [B, T, S, S, 3] from fresh states; without `temporal` every frame as a track of its own.

    `through` is what is called, where the network is wrapped.
    """
    called = network if through is None else through
    if temporal:
        output, _ = called(clips, network.new_state(len(clips), clips.device))
        return cast("ClipOutput", output)
    single = clips.flatten(0, 1).unsqueeze(1)
    output, _ = called(single, network.new_state(len(single), clips.device))
    return ClipOutput(*(value.view(*clips.shape[:2], *value.shape[2:]) for value in output))


def new_network(recipe: Recipe) -> StreamNetwork:
    """An untrained network for the recipe's crops."""
    network: StreamNetwork = StreamNetwork(recipe.crop_px).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _optimiser(network: StreamNetwork, recipe: Recipe) -> torch.optim.AdamW:
    """Make AdamW with a lower rate for the pretrained part and no decay on norms and biases."""
    groups = []
    for pretrained, rate in ((True, recipe.backbone_rate), (False, recipe.head_rate)):
        for flat, decay in ((True, 0.0), (False, recipe.weight_decay)):
            chosen = [
                value
                for name, value in network.named_parameters()
                if name.startswith("backbone.") == pretrained and (value.ndim < 2) == flat
            ]
            groups.append({"params": chosen, "lr": rate, "full_rate": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups)


def _hold_norms(network: StreamNetwork) -> None:
    """Keep the published normalisation statistics: a batch of few people would give poor ones."""
    for part in network.backbone.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.eval()
