# SPDX-License-Identifier: Apache-2.0
"""A training checkpoint in, a weight file with its manifest entry out: `python -m models.export CHECKPOINT NAME`."""

import argparse
import hashlib
import pickle
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import torch
from rich.console import Console
from safetensors.torch import save
from torch import Tensor

from models.calibration import Calibration
from models.detector import contract
from models.errors import ModelError, WeightsError
from models.manifest import Entry, read_manifest, write_manifest
from models.networks.stream import StreamNetwork
from models.registry import WEIGHTS
from models.scales import UNMEASURED
from models.tuning import read_weights

__all__ = ["main", "pack", "write_entry"]

LICENCE: Final = "Apache-2.0"
SAMPLES_PER_S: Final = 5.0
TRAINED_ON: Final = "real faces under open licences, forgeries made from them; backbone pretrained on ImageNet (card)"
UNCALIBRATED: Final = Calibration((-4.0, 8.0), (0.1, 4.0), 1.0, 2.0, scales=UNMEASURED)


def pack(averaged: Mapping[str, Tensor]) -> bytes:
    """Write the tensors that a network needs: kernels as float16, everything else as float32."""
    wanted = StreamNetwork().state_dict()
    if set(wanted) != set(averaged):
        raise WeightsError("the checkpoint is of another network")
    return save({name: _packed(averaged[name]) for name in sorted(wanted)})


def write_entry(
    folder: Path,
    name: str,
    weights: bytes,
    calibration: Calibration,
    crop_px: int,
    *,
    licence: str = LICENCE,
    trained_on: str = TRAINED_ON,
) -> None:
    """Write weights, calibration and the manifest that names them; other models' entries are kept.

    A model of this name that has the same weights keeps everything but its calibration.
    """
    if not name or Path(name).name != name:
        raise WeightsError(f"{name!r} is no name for a model: it must be a plain file name")
    folder.mkdir(parents=True, exist_ok=True)
    known = read_manifest(folder) if (folder / "manifest.toml").is_file() else {}
    spelled = calibration.to_json().encode()
    fresh = _entry(name, weights, spelled, crop_px, licence=licence, trained_on=trained_on)
    before = known.get(name)
    if before is not None and before.sha256 == fresh.sha256:
        fresh = replace(before, calibration_sha256=fresh.calibration_sha256)
    (folder / fresh.file).write_bytes(weights)
    (folder / fresh.calibration).write_bytes(spelled)
    write_manifest(folder, known | {name: fresh})


def _entry(name: str, weights: bytes, calibration: bytes, crop_px: int, *, licence: str, trained_on: str) -> Entry:
    return Entry(
        name=name,
        file=f"{name}.safetensors",
        sha256=hashlib.sha256(weights).hexdigest(),
        calibration=f"{name}.calibration.json",
        calibration_sha256=hashlib.sha256(calibration).hexdigest(),
        licence=licence,
        contract=contract(crop_px),
        samples_per_s=SAMPLES_PER_S,
        trained_on=trained_on,
        parameters=sum(value.numel() for value in StreamNetwork(crop_px).parameters()),
        made_on=datetime.now(UTC).date().isoformat(),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Export the averaged weights of a checkpoint; calibrate afterwards."""
    options = _options(arguments)
    try:
        tuned = options.checkpoint.suffix == ".safetensors"
        state = _tuned(options) if tuned else _read(options.checkpoint)
        weights, crop_px = pack(state["average"]), int(state["recipe"]["crop_px"])
        write_entry(
            options.folder, options.name, weights, UNCALIBRATED, crop_px,
            licence=options.licence, trained_on=options.trained_on,
        )  # fmt: skip
    except (ModelError, OSError) as error:
        Console(stderr=True).print(f"export failed: {error}")
        return 1
    return 0


def _read(checkpoint: Path) -> dict[str, Any]:
    """Read what an export needs of a checkpoint; raises `WeightsError` for a file of another kind."""
    try:
        state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
        return {"average": dict(state["average"]), "recipe": {"crop_px": int(state["recipe"]["crop_px"])}}
    except FileNotFoundError:
        raise WeightsError(f"there is no checkpoint at {checkpoint}") from None
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{checkpoint} is no checkpoint of models.train: {error}") from error


def _tuned(options: argparse.Namespace) -> dict[str, Any]:
    """Read weights that a fold or a contest wrote: they do not say for which crops."""
    if options.crop_px is None:
        raise WeightsError(f"{options.checkpoint} does not say for which crops it is: name their side with --crop-px")
    return {"average": read_weights(options.checkpoint), "recipe": {"crop_px": options.crop_px}}


def _packed(value: Tensor) -> Tensor:
    kernel = value.ndim > 1 and value.is_floating_point()
    return value.to(torch.float16 if kernel else value.dtype).contiguous()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt of a run, or .safetensors of a fold or a contest")
    parser.add_argument("name", help="name of the model")
    parser.add_argument("--folder", type=Path, default=WEIGHTS, help="where the weights go")
    parser.add_argument("--crop-px", type=int, help="side of the crops, for .safetensors")
    parser.add_argument("--licence", default=LICENCE, help="licence of the weights")
    parser.add_argument("--trained-on", default=TRAINED_ON, help="one line on the data for `lifesign models list`")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
