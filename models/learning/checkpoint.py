# SPDX-License-Identifier: Apache-2.0
"""A run's state to and from disk, so that a run that was cut off goes on where it was."""

import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from models.errors import TrainingError
from models.learning.average import AveragedWeights
from models.learning.recipe import Recipe

__all__ = ["Progress", "restore", "save"]


@dataclass(slots=True)
class Progress:
    """Steps done and seconds spent on them, over all sittings."""

    step: int = 0
    spent_s: float = 0.0


def save(
    file: Path,
    *,
    network: nn.Module,
    average: AveragedWeights,
    optimiser: Optimizer,
    progress: Progress,
    recipe: Recipe,
) -> None:
    """Write a checkpoint; a crash while writing leaves the one before in place."""
    state = {
        "network": network.state_dict(),
        "average": average.values,
        "optimiser": optimiser.state_dict(),
        "progress": asdict(progress),
        "recipe": asdict(recipe),
    }
    fresh = file.with_suffix(".part")
    torch.save(state, fresh)
    fresh.replace(file)


def restore(file: Path, network: nn.Module, average: AveragedWeights, optimiser: Optimizer) -> Progress:
    """Load a checkpoint into a fresh run; raises `TrainingError` when it is of another architecture."""
    try:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{file} cannot be read as a checkpoint ({error}): move it away to begin anew") from error
    try:
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        averaged: dict[str, Tensor] = state["average"]
        average.values = {name: averaged[name] for name in average.values}
        return Progress(**state["progress"])
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise TrainingError(f"{file} is a checkpoint of another network or recipe: {error}") from error
