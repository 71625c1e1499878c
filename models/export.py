# SPDX-License-Identifier: Apache-2.0
"""A training checkpoint in, a weight file with its manifest entry out: `python -m models.export CHECKPOINT NAME`."""

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import torch
from rich.console import Console
from safetensors.torch import save
from torch import Tensor

from models.calibration import Calibration
from models.detector import contract
from models.errors import ModelError, WeightsError
from models.networks.stream import StreamNetwork
from models.registry import WEIGHTS

__all__ = ["main", "pack", "write_entry"]

HEADER: Final = """# SPDX-License-Identifier: Apache-2.0
# Written by models.export and models.calibrate; the first model is the default.
"""
LICENCE: Final = "Apache-2.0"
SAMPLES_PER_S: Final = 5.0
TRAINED_ON: Final = "real faces under open licences, forgeries made from them; backbone pretrained on ImageNet (card)"
UNCALIBRATED: Final = Calibration((-4.0, 8.0), (0.1, 4.0), 1.0, 2.0)


def pack(averaged: Mapping[str, Tensor]) -> bytes:
    """Write the tensors that a network needs: kernels as float16, everything else as float32."""
    wanted = StreamNetwork().state_dict()
    if set(wanted) != set(averaged):
        raise WeightsError("the checkpoint is of another network")
    return save({name: _packed(averaged[name]) for name in sorted(wanted)})


def write_entry(folder: Path, name: str, weights: bytes, calibration: Calibration, crop_px: int) -> None:
    """Write weights, calibration and the manifest that names them; other models' entries are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    spelled = calibration.to_json().encode()
    (folder / f"{name}.safetensors").write_bytes(weights)
    (folder / f"{name}.calibration.json").write_bytes(spelled)
    fields = {
        "file": f"{name}.safetensors",
        "sha256": hashlib.sha256(weights).hexdigest(),
        "calibration": f"{name}.calibration.json",
        "calibration_sha256": hashlib.sha256(spelled).hexdigest(),
        "licence": LICENCE,
        "contract": contract(crop_px),
        "trained_on": TRAINED_ON,
    }
    lines = [f"[{name}]", *(f'{field} = "{value}"' for field, value in fields.items())]
    lines.append(f"samples_per_s = {SAMPLES_PER_S}")
    (folder / "manifest.toml").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Export the averaged weights of a checkpoint; calibrate afterwards."""
    parser = argparse.ArgumentParser(prog="python -m models.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt of a run")
    parser.add_argument("name", help="name of the model")
    parser.add_argument("--folder", type=Path, default=WEIGHTS, help="where the weights go")
    options = parser.parse_args(arguments)
    try:
        state = torch.load(options.checkpoint, map_location="cpu", weights_only=True)
        write_entry(options.folder, options.name, pack(state["average"]), UNCALIBRATED, int(state["recipe"]["crop_px"]))
    except (ModelError, OSError, KeyError) as error:
        Console(stderr=True).print(f"export failed: {error}")
        return 1
    return 0


def _packed(value: Tensor) -> Tensor:
    kernel = value.ndim > 1 and value.is_floating_point()
    return value.to(torch.float16 if kernel else value.dtype).contiguous()


if __name__ == "__main__":
    sys.exit(main())
