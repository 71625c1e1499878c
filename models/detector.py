# SPDX-License-Identifier: Apache-2.0
"""The streaming detector: one crop per track and the tracks' state in, one logit per track and the next state out."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor

from models.calibration import Calibration
from models.networks.stream import CROP_PX, State, StreamNetwork

__all__ = ["CONTRACT", "Detector", "Identity", "Output"]

CONTRACT: Final = "face-rgb8-112-margin1.3-v1"
"""Input contract: uint8 RGB 112 x 112, upright square of 1.3 x the face box, smoothed over time; one crop a step."""


CLIP_BATCH: Final = 24


class Identity(NamedTuple):
    """Which weights judge: the model's name and the SHA-256 of its file."""

    name: str
    sha256: str


class Output(NamedTuple):
    """`logit` float32 [B], positive speaks for forgery; `boundary` float32 [B, 14, 14] 0..1, where a blend may end."""

    logit: Tensor
    boundary: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """A loaded network with its calibration; holds no state of any track."""

    network: StreamNetwork
    identity: Identity
    calibration: Calibration
    samples_per_s: float
    device: torch.device

    @property
    def crop_px(self) -> int:
        """Side of the crops it takes."""
        return CROP_PX

    def new_state(self, tracks: int) -> State:
        """State of tracks that were never seen; dimension 0 of every tensor is the track; the size is constant."""
        return self.network.new_state(tracks, self.device)

    @torch.inference_mode()
    def judge_clip(self, crops: Tensor) -> Tensor:
        """Judge one track's crops uint8 [T, 112, 112, 3] in order, from a fresh state: logits float32 [T].

        The same as step by step, in fewer and larger batches.
        """
        state, logits = self.new_state(1), []
        for part in torch.split(crops, CLIP_BATCH):
            output, state = self.network(part.unsqueeze(0), state)
            logits.append(output.logit[0].float())
        return torch.cat(logits)

    @torch.inference_mode()
    def step(self, crops: Tensor, state: State) -> tuple[Output, State]:
        """Judge one new crop per track: `crops` uint8 [B, 112, 112, 3] RGB; raises `ValueError` for anything else."""
        if crops.dtype != torch.uint8 or crops.shape[1:] != (CROP_PX, CROP_PX, 3):
            raise ValueError(f"crops must be uint8 [B, {CROP_PX}, {CROP_PX}, 3], not {crops.dtype} {list(crops.shape)}")
        output, after = self.network(crops.unsqueeze(1), state)
        return Output(output.logit[:, 0].float(), torch.sigmoid(output.boundary[:, 0]).float()), after
