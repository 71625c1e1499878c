# SPDX-License-Identifier: Apache-2.0
"""16 kHz sound in, the probability of speech in each 32 ms of it out: Silero VAD 6.2.3 in NumPy.

Source: Silero Team, Silero VAD (MIT), https://github.com/snakers4/silero-vad. `models.voice_weights` took the weights
from the package. The package's own runner takes one window a call; here all windows of a call share the convolutions
and only the recurrent cell goes step by step, which is several times faster (the card says how much).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as read_arrays

from models.errors import WeightsError
from models.registry import verified

__all__ = ["FILE", "NAMES", "RATE_HZ", "SHA256", "SILENCE", "WINDOW", "Heard", "Voice", "load_voice"]

Floats = NDArray[np.float32]

RATE_HZ: Final = 16_000
WINDOW: Final = 512
"""Samples of a window; what the weights were made for."""

CONTEXT: Final = 64
"""Samples before a window that are heard with it."""

MIRRORED: Final = 64
FRAME: Final = 256
STEP: Final = 128
BANDS: Final = 129
WIDTH: Final = 128

STRIDES: Final = (1, 2, 2, 1)
FILE: Final = Path(__file__).parent / "weights" / "voice" / "silero.safetensors"
SHA256: Final = "018458e956e273ea9a4d55381a2a85e21014912643b954f8c2c211e4e0bf6305"
NAMES: Final = (
    "spectrum",
    *(f"{kind}{layer}" for layer in range(len(STRIDES)) for kind in ("weight", "bias")),
    *("cell.input", "cell.hidden", "cell.bias", "last.weight", "last.bias"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What is kept from one call to the next: the end of the sound, the cell's output and state, float32."""

    end: Floats
    hidden: Floats
    cell: Floats


SILENCE: Final = Heard(*(np.zeros(size, np.float32) for size in (CONTEXT, WIDTH, WIDTH)))
"""Nothing was heard before."""


class Voice:
    """A short-time spectrum, four convolutions and one recurrent cell; 309,121 numbers. Keeps no state."""

    def __init__(self, weights: dict[str, Floats]) -> None:
        """`weights` by NAMES: convolutions [3 * inputs, outputs], gates of the cell in the order i, f, g, o."""
        self._weights = {name: weights[name] for name in NAMES}

    def hear(self, samples: Floats, before: Heard) -> tuple[Floats, Heard]:
        """Give the probability of speech in each of n windows, float32 [n]; `samples` are n * WINDOW, within -1..1."""
        sound = np.concatenate((before.end, samples))
        windows = np.lib.stride_tricks.sliding_window_view(sound, CONTEXT + WINDOW)[::WINDOW]
        inputs = self._features(windows) @ self._weights["cell.input"] + self._weights["cell.bias"]
        hidden, cell = before.hidden, before.cell
        outputs = []
        for gates in inputs:
            hidden, cell = _remember(gates + hidden @ self._weights["cell.hidden"], cell)
            outputs.append(hidden)
        last = np.maximum(np.asarray(outputs), 0) @ self._weights["last.weight"] + self._weights["last.bias"]
        return _sigmoid(last[:, 0]), Heard(sound[-CONTEXT:], hidden, cell)

    def _features(self, windows: Floats) -> Floats:
        """Windows [n, CONTEXT + WINDOW] to features [n, WIDTH]."""
        padded = np.pad(windows, ((0, 0), (0, MIRRORED)), "reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME, axis=1)[:, ::STEP]
        waves = frames @ self._weights["spectrum"]
        values = np.hypot(waves[..., :BANDS], waves[..., BANDS:])
        for layer, stride in enumerate(STRIDES):
            spread = np.pad(values, ((0, 0), (1, 1), (0, 0)))
            steps = range(0, values.shape[1], stride)
            beside = np.stack([spread[:, step : step + 3].reshape(len(values), -1) for step in steps], axis=1)
            values = np.maximum(beside @ self._weights[f"weight{layer}"] + self._weights[f"bias{layer}"], 0)
        return np.asarray(values[:, 0], np.float32)


def _remember(gates: Floats, cell: Floats) -> tuple[Floats, Floats]:
    """One step of a long short-term memory: output and state."""
    enter, keep, fresh, leave = np.split(gates, 4)
    cell = _sigmoid(keep) * cell + _sigmoid(enter) * np.tanh(fresh)
    return _sigmoid(leave) * np.tanh(cell), cell


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * values), np.float32)


@cache
def load_voice(file: Path = FILE) -> Voice:
    """Load the weights, once a process; raises `WeightsError` for a file that is missing or was altered."""
    content = verified(file, SHA256)
    try:
        return Voice({name: value.astype(np.float32) for name, value in read_arrays(content).items()})
    except (SafetensorError, KeyError) as error:
        raise WeightsError(f"{file} holds no weights of this network: {error}") from error
