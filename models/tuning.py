# SPDX-License-Identifier: Apache-2.0
"""Weights, a recipe and a stream of batches in, the weights after some steps out; and weights in, a detector out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils.data import DataLoader

from models.calibration import Calibration
from models.data.batches import Batch, BatchStream
from models.data.crops import Footage
from models.detector import CLIP_BATCH, Detector, Identity
from models.errors import WeightsError
from models.learning.recipe import Recipe
from models.learning.trainer import Trainer
from models.networks.stream import StreamNetwork

__all__ = [
    "StillDetector",
    "Weights",
    "as_detector",
    "fresh_weights",
    "gentle",
    "new_stream",
    "read_weights",
    "served",
    "tune",
    "write_weights",
]

Weights = Mapping[str, Tensor]

GENTLE: Final = 0.3
"""Factor on the learning rates of a run that goes on from trained weights."""

SAMPLES_PER_S: Final = 5.0
UNCALIBRATED: Final = Calibration((-4.0, 8.0), (0.1, 4.0), 1.0, 2.0)
PREFETCHED: Final = 4


class StillDetector(Detector):
    """Judges every frame by itself, as a network without a temporal part does."""

    @torch.inference_mode()
    def judge_clip(self, crops: Tensor) -> Tensor:
        """Judge crops uint8 [T, S, S, 3], each as a track of its own: logits float32 [T]."""
        parts = torch.split(crops, CLIP_BATCH)
        return torch.cat([self.step(part, self.new_state(len(part)))[0].logit for part in parts])


def read_weights(file: Path) -> dict[str, Tensor]:
    """Read a network's tensors as float32: a .safetensors file, or the averaged weights of a checkpoint.

    Raises `WeightsError` for anything else.
    """
    try:
        if file.suffix == ".safetensors":
            stored = load_file(file)
        else:
            stored = torch.load(file, map_location="cpu", weights_only=True)["average"]
        return {name: value.float() for name, value in stored.items()}
    except (OSError, SafetensorError, KeyError, RuntimeError, ValueError, AttributeError, TypeError) as error:
        raise WeightsError(f"{file} holds no weights to start from: {error}") from error


def write_weights(file: Path, weights: Weights) -> None:
    """Write tensors as .safetensors; a crash while writing leaves no half file behind."""
    fresh = file.with_suffix(".part")
    save_file({name: value.contiguous() for name, value in weights.items()}, fresh)
    fresh.replace(file)


def gentle(recipe: Recipe, steps: int) -> Recipe:
    """The recipe for `steps` more steps from trained weights: lower rates, a short warm-up."""
    return replace(
        recipe,
        steps=steps,
        head_rate=recipe.head_rate * GENTLE,
        backbone_rate=recipe.backbone_rate * GENTLE,
        warm_up_steps=max(1, min(recipe.warm_up_steps, steps // 5)),
    )


def new_stream(
    footage: Sequence[Footage], recipe: Recipe, seed: int, *, first: int = 0, stride: int = 1
) -> BatchStream:
    """The stream of self-made forgeries that a recipe asks for: every `stride`-th batch from number `first` on."""
    return BatchStream(
        footage, recipe.shapes, seed, first=first, stride=stride, grey_share=recipe.grey_share, making=recipe.making
    )


def served(stream: BatchStream, workers: int) -> Iterable[Batch]:
    """The stream's batches, made by `workers` other processes, or here when there are none."""
    if workers == 0:
        return stream
    return DataLoader(stream, batch_size=None, num_workers=workers, prefetch_factor=PREFETCHED)


def fresh_weights(recipe: Recipe, load: Callable[[StreamNetwork], None]) -> dict[str, Tensor]:
    """An untrained network's tensors, the same for every recipe of a seed, with what `load` puts into it."""
    torch.manual_seed(recipe.seed)
    network = StreamNetwork(recipe.crop_px)
    load(network)
    return dict(network.state_dict())


def tune(start: Weights | None, recipe: Recipe, batches: Iterable[Batch], device: str = "cpu") -> Trainer:
    """Learn `recipe.steps` batches from `start` on; the trainer's average holds the result.

    Raises `WeightsError` when the weights are of another network, `TrainingError` when the loss is no number.
    """
    trainer = Trainer(recipe, None, device)
    if start is not None:
        _fill(trainer.network, start)
        trainer.average.restart(trainer.network)
    for batch in islice(batches, recipe.steps):
        trainer.step(batch)
    return trainer


def as_detector(weights: Weights, recipe: Recipe, device: str = "cpu") -> Detector:
    """An uncalibrated detector that judges with these weights, as they were learnt."""
    network = StreamNetwork(recipe.crop_px)
    _fill(network, weights)
    ready = network.eval().requires_grad_(requires_grad=False).to(torch.device(device))
    ready.backbone.fix()
    kind = Detector if recipe.temporal else StillDetector
    return kind(
        network=ready.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        identity=Identity("run", ""),
        calibration=UNCALIBRATED,
        samples_per_s=SAMPLES_PER_S,
        device=torch.device(device),
    )


def _fill(network: StreamNetwork, weights: Weights) -> None:
    try:
        network.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise WeightsError(f"the weights to start from are of another network: {error}") from error
