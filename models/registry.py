# SPDX-License-Identifier: Apache-2.0
"""A model's name in, a verified detector or its card out; what does not fit its manifest entry is refused.

A name is one of the models that ship, or the path FOLDER/NAME of a model that `models.export` wrote elsewhere.
"""

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from torch import Tensor

from models.accelerated import accelerate, can_accelerate
from models.calibration import Calibration
from models.detector import Detector, Identity
from models.errors import WeightsError
from models.manifest import Entry, read_manifest
from models.networks.stream import StreamNetwork

__all__ = [
    "CARDS",
    "DEFAULT",
    "WEIGHTS",
    "Entry",
    "card",
    "entry",
    "load",
    "locate",
    "names",
    "read_manifest",
    "tensors",
    "verified",
]

DEFAULT: Final = "default"
WEIGHTS: Final = Path(__file__).parent / "weights"
CARDS: Final = Path(__file__).parent / "cards"
MOST_BYTES: Final = 25_000_000


class Located(NamedTuple):
    """A model and the folder that holds its files."""

    folder: Path
    entry: Entry


def names() -> tuple[str, ...]:
    """The models that ship; `default` stands for the first."""
    return tuple(read_manifest(WEIGHTS))


def locate(name: str = DEFAULT, folder: Path = WEIGHTS) -> Located:
    """Find a model by its name in `folder`, or by its path FOLDER/NAME; raises `WeightsError` for an unknown one."""
    path = Path(name)
    if len(path.parts) > 1:
        folder, name = path.parent, path.name
    return Located(folder, _entry(read_manifest(folder), name))


def card(name: str = DEFAULT) -> str:
    """The model's card: data, licences, recipe, error rates, limits; Markdown."""
    folder, chosen = locate(name)
    file = (CARDS if folder == WEIGHTS else folder) / f"{chosen.name}.md"
    if not file.is_file():
        raise WeightsError(f"model {chosen.name} has no card at {file}")
    return file.read_text(encoding="utf-8")


def entry(name: str = DEFAULT) -> Entry:
    """The manifest's entry of a model; raises `WeightsError` for an unknown name."""
    return locate(name).entry


def load(
    name: str = DEFAULT,
    device: str = "cpu",
    folder: Path = WEIGHTS,
    *,
    accelerated: bool | None = None,
    kind: torch.dtype = torch.float32,
) -> Detector:
    """Load a model onto a device.

    On a CPU it judges with ONNX Runtime where that is installed and the model has a graph; `accelerated` asks for it,
    or for torch, whatever is installed. Convolutions compute in `kind`; what is added up over the picture or kept over
    time is float32 always. Raises `WeightsError` for an unknown name, a file
    that is missing, too large or not the one of the manifest, a missing licence, a contract that this program does not
    keep, or ONNX Runtime asked for where it cannot judge.
    """
    place, found = locate(name, folder)
    target = torch.device(device)
    whole = target.type == "cpu" and kind is torch.float32
    if accelerated is None:
        accelerated = bool(found.graph) and whole and can_accelerate()
    if accelerated:
        _refuse_acceleration(found, whole=whole)
    detector = _load(place, found, target, kind)
    return accelerate(detector, verified(place / found.graph, found.graph_sha256)) if accelerated else detector


def _refuse_acceleration(found: Entry, *, whole: bool) -> None:
    if not found.graph:
        raise WeightsError(f"model {found.name} has no graph for ONNX Runtime: export it again")
    if not can_accelerate():
        raise WeightsError("ONNX Runtime is not installed: pip install 'lifesign[fast]', or let torch judge")
    if not whole:
        raise WeightsError("ONNX Runtime judges on a CPU in float32 only: let torch judge")


def tensors(name: str, folder: Path = WEIGHTS) -> dict[str, Tensor]:
    """A model's weights as float32 tensors, to go on learning from; raises `WeightsError` as `load` does."""
    place, found = locate(name, folder)
    try:
        stored = read_tensors(verified(place / found.file, found.sha256))
        return {key: value.float() for key, value in stored.items()}
    except SafetensorError as error:
        raise WeightsError(f"the weights of model {found.name} cannot be read: {error}") from error


def _load(folder: Path, found: Entry, device: torch.device, kind: torch.dtype) -> Detector:
    if found.crop_px is None:
        raise WeightsError(f"model {found.name} wants input {found.contract!r}, which this program cannot give")
    calibration = verified(folder / found.calibration, found.calibration_sha256)
    network = StreamNetwork(found.crop_px)
    try:
        network.load_state_dict(tensors(found.name, folder), strict=True)
    except RuntimeError as error:
        raise WeightsError(f"the weights of model {found.name} do not fit its network: {error}") from error
    ready = network.eval().requires_grad_(requires_grad=False).to(device)
    ready.backbone.fix(kind)
    return Detector(
        network=ready.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        identity=Identity(found.name, found.sha256),
        calibration=Calibration.from_json(calibration.decode()),
        samples_per_s=found.samples_per_s,
        device=device,
    )


def _entry(manifest: dict[str, Entry], name: str) -> Entry:
    chosen = next(iter(manifest), name) if name == DEFAULT else name
    if chosen not in manifest:
        raise WeightsError(f"no model is named {name!r}; there are: {', '.join(manifest) or 'none'}")
    return manifest[chosen]


def verified(file: Path, sha256: str) -> bytes:
    """Read a file whose SHA-256 is known; raises `WeightsError` where it is missing, too large or another."""
    if not file.is_file():
        raise WeightsError(f"{file} is missing: install lifesign again, or export the model again")
    if file.stat().st_size > MOST_BYTES:
        raise WeightsError(f"{file} is larger than {MOST_BYTES} bytes")
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise WeightsError(f"{file} was altered: its SHA-256 is {found}, the manifest says {sha256}")
    return content
