# SPDX-License-Identifier: Apache-2.0
"""The shipped network for presentation attacks from and to its files: weights, calibration and a manifest entry."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors
from torch import Tensor

from models.errors import WeightsError
from models.manifest import Entry, read_manifest, write_manifest
from models.pad.network import CONTRACT, PadNetwork, attack_logit, fold
from models.registry import WEIGHTS, verified

__all__ = ["FOLDER", "NAME", "Origin", "PadDetector", "PadJudgement", "load", "write"]

FOLDER: Final = WEIGHTS / "pad"
NAME: Final = "pad"
LICENCE: Final = "Apache-2.0"
TRAINED_ON: Final = "real faces under open licences, screens and prints made from them (card)"
LOOKS_PER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Origin:
    """What bona fide people reach: the log-odds `origin` that one new person in a hundred exceeds, the standard
    deviation `spread` between people, from how many `people`, none of them learnt from, in how many `minutes`.
    """

    origin: float
    spread: float
    people: int
    minutes: float


@dataclass(frozen=True, slots=True)
class PadJudgement:
    """`logit`: log-odds of an attack, as in training; `replay_share` 0..1: a screen, not a print, if either."""

    logit: float
    replay_share: float


@dataclass(frozen=True, slots=True, eq=False)
class PadDetector:
    """A loaded network with what bona fide people reach; holds no state of any face."""

    network: PadNetwork
    origin: Origin

    @torch.inference_mode()
    def judge(self, wide: NDArray[np.uint8]) -> PadJudgement:
        """Judge one picture uint8 [192, 192, 3]; raises `ValueError` for another shape."""
        logits = self.network(torch.from_numpy(wide)[None])
        return PadJudgement(float(attack_logit(logits)[0]), float(torch.softmax(logits[0, 1:], dim=0)[0]))


def load(folder: Path = FOLDER) -> PadDetector:
    """Load the network; raises `WeightsError` for a file that is missing or not the one of the manifest, and for a
    contract that this program does not keep.
    """
    entry = read_manifest(folder).get(NAME)
    if entry is None:
        raise WeightsError(f"the list of models in {folder} names no {NAME!r}: install lifesign again")
    if entry.contract != CONTRACT:
        raise WeightsError(f"model {NAME} wants input {entry.contract!r}, which this program cannot give")
    network = PadNetwork()
    try:
        tensors = read_tensors(verified(folder / entry.file, entry.sha256))
        network.load_state_dict({name: _widened(value) for name, value in tensors.items()})
    except (SafetensorError, RuntimeError) as error:
        raise WeightsError(f"the weights of model {NAME} do not fit its network: {error}") from error
    network.eval().requires_grad_(requires_grad=False)
    fold(network)
    ready = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return PadDetector(ready, _origin(verified(folder / entry.calibration, entry.calibration_sha256)))


def write(tensors: Mapping[str, Tensor], origin: Origin, folder: Path = FOLDER) -> Entry:
    """Write weights in half precision, calibration and manifest."""
    weights = write_tensors({name: _packed(value) for name, value in sorted(tensors.items())})
    spelled = (json.dumps(asdict(origin), indent=2) + "\n").encode()
    entry = Entry(
        name=NAME,
        file=f"{NAME}.safetensors",
        sha256=hashlib.sha256(weights).hexdigest(),
        calibration=f"{NAME}.calibration.json",
        calibration_sha256=hashlib.sha256(spelled).hexdigest(),
        licence=LICENCE,
        contract=CONTRACT,
        samples_per_s=LOOKS_PER_S,
        trained_on=TRAINED_ON,
        parameters=sum(value.numel() for value in PadNetwork().parameters()),
        made_on=datetime.now(UTC).date().isoformat(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / entry.file).write_bytes(weights)
    (folder / entry.calibration).write_bytes(spelled)
    write_manifest(folder, {NAME: entry})
    return entry


def _origin(content: bytes) -> Origin:
    try:
        return Origin(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise WeightsError(f"the calibration of model {NAME} cannot be read: {error}") from error


def _packed(value: Tensor) -> Tensor:
    """Kernels in half precision; norms and biases as they are."""
    return value.to(torch.float16 if value.ndim > 1 else value.dtype).contiguous()


def _widened(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value
