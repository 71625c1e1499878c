# SPDX-License-Identifier: Apache-2.0
"""Generators to and from weight files: safetensors in half precision, one file a variant and stage of training."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors
from torch import nn

from models.errors import WeightsError
from models.generators.blocks import folded
from models.generators.recipe import VARIANTS, Variant, build

__all__ = ["FOLDER", "STAGES", "Generator", "load", "load_all", "write"]

FOLDER: Final = Path(__file__).parents[1] / "weights" / "generators"
STAGES: Final = ("early", "late")
MOST_BYTES: Final = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Generator:
    """A trained network ready to paint, with what it was trained for."""

    name: str
    stage: str
    variant: Variant
    network: nn.Module


def write(network: nn.Module, name: str, stage: str, folder: Path) -> Path:
    """Write `NAME-STAGE.safetensors` in half precision; a crash while writing leaves no half file."""
    tensors = {key: _halved(value) for key, value in network.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{stage}.safetensors"
    fresh = file.with_suffix(".part")
    fresh.write_bytes(write_tensors(tensors))
    fresh.replace(file)
    return file


def load(name: str, stage: str, folder: Path = FOLDER) -> Generator:
    """Load one generator; raises `WeightsError` for a file that is missing, damaged or of another network."""
    file = folder / f"{name}-{stage}.safetensors"
    variant = VARIANTS[name]
    network = build(variant)
    try:
        content = file.read_bytes()
        if len(content) > MOST_BYTES:
            raise WeightsError(f"{file} is larger than {MOST_BYTES} bytes: it is no small generator")
        tensors = {key: value.float() for key, value in read_tensors(content).items()}
        network.load_state_dict(tensors, strict=True)
    except OSError as error:
        raise WeightsError(f"{file} is missing: train it (python -m models.generators) or install again") from error
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{file} holds no weights of generator {name}: train it again ({error})") from error
    if not all(bool(torch.isfinite(value).all()) for value in tensors.values()):
        raise WeightsError(f"{file} holds weights that are no numbers: train it again")
    ready = folded(network.eval().requires_grad_(requires_grad=False))
    return Generator(name, stage, variant, ready.to(memory_format=torch.channels_last))  # type: ignore[call-overload]


@cache
def load_all(folder: Path = FOLDER) -> tuple[Generator, ...]:
    """Load every variant at every stage that is kept, once a process; raises `WeightsError` as `load` does."""
    wanted = [(name, stage) for name, one in VARIANTS.items() for stage in STAGES if one.early or stage == "late"]
    return tuple(load(name, stage, folder) for name, stage in wanted)


def _halved(value: torch.Tensor) -> torch.Tensor:
    return (value.half() if value.is_floating_point() else value).contiguous()
