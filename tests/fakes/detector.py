# SPDX-License-Identifier: Apache-2.0
"""A small deterministic detector with state: crops in, logits that depend on each track's own past out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["FakeCalibration", "FakeDetector", "FakeOutput"]


class FakeOutput(NamedTuple):
    """`logit` float32 [B]."""

    logit: Tensor

    @property
    def boundary(self) -> Tensor:
        """As sure as the logit, everywhere, float32 [B, 4, 4]."""
        return torch.sigmoid(self.logit)[:, None, None].expand(-1, 4, 4)


class FakeCalibration:
    """A logit is its own likelihood ratio; its score is the logistic function."""

    def llr_nats(self, logit: float, face_px: float, sharpness: float) -> float:
        """The logit itself."""
        return logit

    def score(self, logit: float) -> float:
        """Logistic function."""
        return float(torch.sigmoid(torch.tensor(logit)))


@dataclass
class FakeDetector:
    """Logit = decayed sum of the track's mean brightness, centred; the second state counts the track's steps.

    `fail_at` names the batches (counted from 0) whose step raises `failure`.
    """

    crop_px: int = 8
    samples_per_s: float = 5.0
    identity: tuple[str, str] = ("fake.bright", "0" * 64)
    calibration: FakeCalibration = field(default_factory=FakeCalibration)
    fail_at: frozenset[int] = frozenset()
    failure: RuntimeError = field(default_factory=lambda: RuntimeError("a fake failure"))
    batches: list[int] = field(default_factory=list)
    steps_seen: list[list[int]] = field(default_factory=list)

    def new_state(self, tracks: int) -> tuple[Tensor, ...]:
        """Zeros: brightness [tracks, 1] and steps [tracks]."""
        return torch.zeros(tracks, 1), torch.zeros(tracks, dtype=torch.int64)

    def step(self, crops: Tensor, state: tuple[Tensor, ...]) -> tuple[FakeOutput, tuple[Tensor, ...]]:
        """One step of each track; raises in the batches named in `fail_at`."""
        assert crops.dtype == torch.uint8
        assert crops.shape[1:] == (self.crop_px, self.crop_px, 3)
        self.batches.append(len(crops))
        if len(self.batches) - 1 in self.fail_at:
            raise self.failure
        brightness, steps = state
        self.steps_seen.append(steps.tolist())
        after = 0.5 * brightness + crops.float().mean(dim=(1, 2, 3))[:, None] / 255.0 - 0.5
        return FakeOutput(after[:, 0]), (after, steps + 1)

    def boundaries(self, output: FakeOutput) -> Tensor:
        """The maps of a step."""
        return output.boundary

    def logits(self, output: FakeOutput, _face_px: Sequence[float]) -> list[float]:
        """The logits, whatever the size of the face."""
        return output.logit.tolist()
