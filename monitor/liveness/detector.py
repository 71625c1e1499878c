# SPDX-License-Identifier: Apache-2.0
"""What the engine needs of a network: crops and state in, one logit per crop and the next state out."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from torch import Tensor

__all__ = ["Calibration", "Detector", "Load"]


class Calibration(Protocol):
    """How a logit reads as evidence, measured on bona fide footage."""

    def llr_nats(self, logit: float, face_px: float, sharpness: float) -> float:
        """Log-likelihood ratio of an attack against a bona fide face, for a face of this size and sharpness."""
        ...

    def score(self, logit: float) -> float:
        """Score 0..1 on the scale that keeps its meaning: one bona fide observation in 1,000 is above 0.5."""
        ...


class Detector(Protocol):
    """A streaming network: O(1) state per track, one step per new crop."""

    @property
    def crop_px(self) -> int:
        """Side of the crops it takes."""
        ...

    @property
    def samples_per_s(self) -> float:
        """Looks per second it was trained for."""
        ...

    @property
    def identity(self) -> tuple[str, str]:
        """The model's name and the SHA-256 of its weights."""
        ...

    @property
    def calibration(self) -> Calibration:
        """How its logits read as evidence."""
        ...

    def new_state(self, tracks: int) -> tuple[Tensor, ...]:
        """State of tracks that were never seen; dimension 0 of every tensor is the track."""
        ...

    def step(self, crops: Tensor, state: tuple[Tensor, ...]) -> tuple[Any, tuple[Tensor, ...]]:
        """Judge uint8 [B, S, S, 3] RGB, one crop per track, with each track's state.

        What was seen is a NamedTuple of tensors [B, ...] for `logits` and `boundaries`.
        """
        ...

    def boundaries(self, output: Any, /) -> Tensor:  # noqa: ANN401 - its own affair
        """Where a blend may end in each crop, float32 [B, n, n] 0..1 over the whole crop."""
        ...

    def logits(self, output: Any, face_px: Sequence[float], /) -> list[float]:  # noqa: ANN401 - its own affair
        """One logit per crop, positive speaks for a forgery, for faces of these widths in the source."""
        ...


Load = Callable[[str, str], Detector]
"""Makes a detector from a model name and a device name."""
