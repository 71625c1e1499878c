# SPDX-License-Identifier: Apache-2.0
"""Log-mel frames in, the mouth that people have to such a sound out: a linear map with little to over-fit.

That a mouth's movement can be told linearly from sound: Yehia, Rubin and Vatikiotis-Bateson 1998 (Speech Communication
26), Barker and Berthommier 1999 (AVSP). Fitted by ridge regression (Hoerl and Kennard 1970, Technometrics 12).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as read_arrays
from safetensors.numpy import save as write_arrays

from models.errors import TrainingError, WeightsError
from models.registry import verified
from models.synchrony.features import around

__all__ = ["FILE", "SHA256", "Expectation", "Film", "fit", "load_expectation"]

Floats = NDArray[np.float32]

FILE: Final = Path(__file__).parents[1] / "weights" / "synchrony" / "ridge.safetensors"
SHA256: Final = "948e649e7898f80eebf797bec9384ae2a1e35ed3c18978ac9244def558b2ca4b"

LOG_SCALE: Final = 3.0
"""Standard deviation of the log energies of speech, roughly; the penalty is on this scale."""

PENALTY: Final = 10_000.0
"""Chosen of 30, 300, 3,000, 10,000 and 30,000 on people held out of the training films (see the card)."""


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """One film of a speaker: `frames` float32 [m, BANDS], and the looks while speech is heard.

    `at` int [n] is the frame of each look, `mouths` float32 [n, MOUTH].
    """

    identity: str
    frames: Floats
    at: NDArray[np.int_]
    mouths: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """`weights` float32 [features, MOUTH], `scale` float32 [MOUTH]: how far each number of a mouth moves in speech."""

    weights: Floats
    scale: Floats

    def mouths(self, frames: Floats, at: NDArray[np.int_]) -> Floats:
        """Mouths to be expected at the frames `at`, float32 [len(at), MOUTH], in units of `scale`, up to a constant."""
        return around(frames, at) @ self.weights / np.float32(LOG_SCALE)

    def to_bytes(self) -> bytes:
        """As safetensors."""
        return write_arrays({"weights": self.weights, "scale": self.scale})


def fit(films: Sequence[Film], penalty: float = PENALTY) -> Expectation:
    """Learn from films; each counts by its looks. Raises `TrainingError` where there are none."""
    if not films:
        raise TrainingError("there is no film of a speaker to learn from")
    moved = np.concatenate([film.mouths - film.mouths.mean(axis=0) for film in films]).astype(np.float64)
    scale = moved.std(axis=0) + 1e-6
    heard = np.concatenate([_heard(film) for film in films]).astype(np.float64)
    square = heard.T @ heard + penalty * np.eye(heard.shape[1])
    weights = np.linalg.solve(square, heard.T @ (moved / scale))
    return Expectation(weights.astype(np.float32), scale.astype(np.float32))


@cache
def load_expectation(file: Path = FILE) -> Expectation:
    """Load the weights that ship; raises `WeightsError` for a file that is missing or was altered."""
    content = verified(file, SHA256)
    try:
        return Expectation(**read_arrays(content))
    except (SafetensorError, TypeError) as error:
        raise WeightsError(f"{file} holds no weights of this map: {error}") from error


def _heard(film: Film) -> Floats:
    return around((film.frames - film.frames.mean(axis=0)) / np.float32(LOG_SCALE), film.at)
