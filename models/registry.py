# SPDX-License-Identifier: Apache-2.0
"""A model's name in, a verified detector or its card out; what does not fit its manifest entry is refused."""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from torch import Tensor

from models.calibration import Calibration
from models.detector import Detector, Identity, contract_px
from models.errors import WeightsError
from models.networks.stream import StreamNetwork

__all__ = ["DEFAULT", "Entry", "card", "entry", "load", "names", "read_manifest", "tensors"]

DEFAULT: Final = "default"
WEIGHTS: Final = Path(__file__).parent / "weights"
CARDS: Final = Path(__file__).parent / "cards"
MOST_BYTES: Final = 25_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the manifest: its files with their SHA-256, its licence and its input contract."""

    name: str
    file: str
    sha256: str
    calibration: str
    calibration_sha256: str
    licence: str
    contract: str
    samples_per_s: float
    trained_on: str


def names() -> tuple[str, ...]:
    """The models that can be loaded; `default` stands for the first."""
    return tuple(read_manifest(WEIGHTS))


def card(name: str = DEFAULT) -> str:
    """The model's card: data, licences, recipe, error rates, limits; Markdown."""
    chosen = entry(name)
    file = CARDS / f"{chosen.name}.md"
    if not file.is_file():
        raise WeightsError(f"model {chosen.name} has no card at {file}")
    return file.read_text(encoding="utf-8")


def entry(name: str = DEFAULT) -> Entry:
    """The manifest's entry of a model; raises `WeightsError` for an unknown name."""
    return _entry(read_manifest(WEIGHTS), name)


def load(name: str = DEFAULT, device: str = "cpu", folder: Path = WEIGHTS) -> Detector:
    """Load a model onto a device.

    Raises `WeightsError` for an unknown name, a file that is missing, too large or not the one of the manifest, a
    missing licence, or a contract that this program does not keep.
    """
    found = _entry(read_manifest(folder), name)
    crop_px = contract_px(found.contract)
    if crop_px is None:
        raise WeightsError(f"model {found.name} wants input {found.contract!r}, which this program cannot give")
    weights = _verified(folder / found.file, found.sha256)
    calibration = _verified(folder / found.calibration, found.calibration_sha256)
    network = StreamNetwork(crop_px)
    try:
        tensors = {key: value.float() for key, value in read_tensors(weights).items()}
        network.load_state_dict(tensors, strict=True)
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise WeightsError(f"the weights of model {found.name} do not fit its network: {error}") from error
    place = torch.device(device)
    ready = network.eval().requires_grad_(requires_grad=False).to(place)
    ready.backbone.fix()
    return Detector(
        network=ready.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        identity=Identity(found.name, found.sha256),
        calibration=Calibration.from_json(calibration.decode()),
        samples_per_s=found.samples_per_s,
        device=place,
    )


def tensors(name: str, folder: Path = WEIGHTS) -> dict[str, Tensor]:
    """A model's weights as float32 tensors, to go on learning from; raises `WeightsError` as `load` does."""
    found = _entry(read_manifest(folder), name)
    try:
        return {key: value.float() for key, value in read_tensors(_verified(folder / found.file, found.sha256)).items()}
    except SafetensorError as error:
        raise WeightsError(f"the weights of model {found.name} cannot be read: {error}") from error


@cache
def read_manifest(folder: Path) -> dict[str, Entry]:
    """Read `manifest.toml`; raises `WeightsError` where an entry lacks a field or leaves one empty."""
    file = folder / "manifest.toml"
    try:
        stored: dict[str, dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"the list of models at {file} cannot be read: {error}") from error
    return {name: _checked(name, fields) for name, fields in stored.items()}


def _checked(name: str, fields: dict[str, Any]) -> Entry:
    wanted = set(Entry.__dataclass_fields__) - {"name"}
    missing = sorted(field for field in wanted if not fields.get(field))
    if missing:
        raise WeightsError(f"the manifest entry of model {name} lacks {', '.join(missing)}: it must not be used")
    return Entry(name=name, **{field: fields[field] for field in wanted})


def _entry(manifest: dict[str, Entry], name: str) -> Entry:
    chosen = next(iter(manifest), name) if name == DEFAULT else name
    if chosen not in manifest:
        raise WeightsError(f"no model is named {name!r}; there are: {', '.join(manifest) or 'none'}")
    return manifest[chosen]


def _verified(file: Path, sha256: str) -> bytes:
    if not file.is_file():
        raise WeightsError(f"{file} is missing: install lifesign again")
    if file.stat().st_size > MOST_BYTES:
        raise WeightsError(f"{file} is larger than {MOST_BYTES} bytes")
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise WeightsError(f"{file} was altered: its SHA-256 is {found}, the manifest says {sha256}")
    return content
