# SPDX-License-Identifier: Apache-2.0
"""A detector in, one that looks at every crop twice, at full and at half detail, and joins what it sees out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor

from models import registry
from models.calibration import Calibration
from models.detail import half_detail
from models.detector import Detector, Identity
from models.networks.stream import State
from models.scales import Scales

__all__ = ["VIEWS", "Looks", "TwofoldDetector", "load"]

VIEWS: Final = 2


class Looks(NamedTuple):
    """`logit` float32 [B], positive speaks for forgery: the logits `fine` and `coarse` [B] joined, for faces of the
    reference size; `boundary` float32 [B, S/8, S/8] 0..1 of the look at full detail, None of a clip judged at once.
    """

    logit: Tensor
    fine: Tensor
    coarse: Tensor
    boundary: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TwofoldDetector:
    """The detector's contract with twice its work and state; each track is two of its tracks."""

    detector: Detector
    scales: Scales

    @property
    def crop_px(self) -> int:
        """Side of the crops it takes."""
        return self.detector.crop_px

    @property
    def samples_per_s(self) -> float:
        """Looks per second it was trained for."""
        return self.detector.samples_per_s

    @property
    def identity(self) -> Identity:
        """The model's name and the SHA-256 of its weights."""
        return self.detector.identity

    @property
    def calibration(self) -> Calibration:
        """How its joined logits read as evidence."""
        return self.detector.calibration

    @property
    def device(self) -> torch.device:
        """Where crops and state lie."""
        return self.detector.device

    def new_state(self, tracks: int) -> State:
        """State of tracks that were never seen; dimension 0 of every tensor is the track, dimension 1 the view."""
        return tuple(value.view(tracks, VIEWS, *value.shape[1:]) for value in self.detector.new_state(tracks * VIEWS))

    def judge_clip(self, crops: Tensor) -> Looks:
        """Judge one track's crops uint8 [T, S, S, 3] in order, from a fresh state: every tensor [T]."""
        fine, coarse = (self.detector.judge_clip(view) for view in (crops, half_detail(crops)))
        return self._looks(fine, coarse)

    @torch.inference_mode()
    def step(self, crops: Tensor, state: State) -> tuple[Looks, State]:
        """Judge one new crop per track: `crops` uint8 [B, S, S, 3] RGB; raises `ValueError` for anything else."""
        side = self.crop_px
        if crops.dtype != torch.uint8 or crops.shape[1:] != (side, side, 3):
            raise ValueError(f"crops must be uint8 [B, {side}, {side}, 3], not {crops.dtype} {list(crops.shape)}")
        views = torch.stack((crops, half_detail(crops)), dim=1).flatten(0, 1)
        output, after = self.detector.step(views, tuple(value.flatten(0, 1) for value in state))
        fine, coarse = output.logit.view(-1, VIEWS).unbind(1)
        looks = self._looks(fine, coarse)._replace(boundary=output.boundary[::VIEWS])
        return looks, tuple(value.view(-1, VIEWS, *value.shape[1:]) for value in after)

    def logits(self, looks: Looks, face_px: Sequence[float]) -> list[float]:
        """Join the looks for faces of these sizes."""
        joined: list[float] = self.scales.logit(looks.fine.tolist(), looks.coarse.tolist(), face_px).tolist()
        return joined

    def boundaries(self, looks: Looks) -> Tensor:
        """The boundary maps of a step, float32 [B, S/8, S/8] 0..1."""
        assert looks.boundary is not None
        return looks.boundary

    def _looks(self, fine: Tensor, coarse: Tensor) -> Looks:
        return Looks(self.scales.joined(fine, coarse), fine, coarse)


def load(
    name: str = registry.DEFAULT,
    device: str = "cpu",
    *,
    accelerated: bool | None = None,
    kind: torch.dtype = torch.float32,
) -> Detector | TwofoldDetector:
    """Load a model as it is meant to judge: twofold where its calibration joins two looks.

    The rest is as in `registry.load`.
    """
    detector = registry.load(name, device, accelerated=accelerated, kind=kind)
    scales = detector.calibration.scales
    return detector if scales is None else TwofoldDetector(detector, scales)
