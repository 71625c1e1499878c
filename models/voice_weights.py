# SPDX-License-Identifier: Apache-2.0
"""`silero_vad.jit` of the package silero-vad 6.2.3 in, the weights that ship out: python -m models.voice_weights FILE.

The file is the member `silero_vad/data/silero_vad.jit` of the wheel: pip download --no-deps silero-vad==6.2.3.
"""

import argparse
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.numpy import save as write_arrays
from torch import Tensor

from models.errors import WeightsError
from models.voice import FILE, NAMES, STRIDES

__all__ = ["convert", "main"]

SOURCE_SHA256: Final = "e1122837f4154c511485fe0b9c64455f7b929c96fbb8d79fbdb336383ebd3720"


def convert(source: Path) -> bytes:
    """Spell the 16 kHz weights as `models.voice` wants them, half precision; raises `WeightsError` for another file."""
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != SOURCE_SHA256:
        raise WeightsError(f"{source} has SHA-256 {found}, silero-vad 6.2.3 has {SOURCE_SHA256}")
    stored = torch.jit.load(str(source))._model.state_dict()  # type: ignore[no-untyped-call]
    arrays = dict(zip(NAMES, _arranged(stored), strict=True))
    return write_arrays({name: np.ascontiguousarray(value.half().numpy()) for name, value in arrays.items()})


def main() -> None:
    """Write the file that ships."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    content = convert(parser.parse_args().source)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(content)
    sys.stdout.write(f"{FILE} {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}\n")


def _arranged(stored: Mapping[str, Tensor]) -> list[Tensor]:
    convolutions = [
        tensor
        for layer in range(len(STRIDES))
        for tensor in (
            stored[f"encoder.{layer}.reparam_conv.weight"].permute(2, 1, 0).flatten(0, 1),
            stored[f"encoder.{layer}.reparam_conv.bias"],
        )
    ]
    return [
        stored["stft.forward_basis_buffer"][:, 0].T,
        *convolutions,
        stored["decoder.rnn.weight_ih"].T,
        stored["decoder.rnn.weight_hh"].T,
        stored["decoder.rnn.bias_ih"] + stored["decoder.rnn.bias_hh"],
        stored["decoder.decoder.2.weight"][:, :, 0].T,
        stored["decoder.decoder.2.bias"],
    ]


if __name__ == "__main__":
    main()
