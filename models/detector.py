# SPDX-License-Identifier: Apache-2.0
"""The streaming detector: one crop per track and the tracks' state in, one logit per track and the next state out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor

from models.calibration import Calibration
from models.networks.stream import State, StreamNetwork

__all__ = ["Detector", "Identity", "Output", "contract", "contract_px"]

CONTRACT: Final = re.compile(r"face-rgb8-(?P<px>\d{2,3})-margin1\.3-v1")
CLIP_BATCH: Final = 24


def contract(crop_px: int) -> str:
    """Name the input contract: uint8 RGB, upright square of 1.3 x the face box, smoothed over time; one crop a step."""
    return f"face-rgb8-{crop_px}-margin1.3-v1"


def contract_px(text: str) -> int | None:
    """Side of the crops that a contract asks for; None for a contract that this program does not keep."""
    found = CONTRACT.fullmatch(text)
    return int(found["px"]) if found else None


class Identity(NamedTuple):
    """Which weights judge: the model's name and the SHA-256 of its file."""

    name: str
    sha256: str


class Output(NamedTuple):
    """`logit` float32 [B], positive speaks for forgery; `boundary` float32 [B, S/8, S/8] 0..1, where a blend may end;
    `attack` float32 [B, 6], shares of the kinds in `ATTACKS` if the face is forged.
    """

    logit: Tensor
    boundary: Tensor
    attack: Tensor


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
        return self.network.crop_px

    def new_state(self, tracks: int) -> State:
        """State of tracks that were never seen; dimension 0 of every tensor is the track; the size is constant."""
        return self.network.new_state(tracks, self.device)

    def logits(self, output: Output, _face_px: Sequence[float]) -> list[float]:
        """One logit per track; the size of the face changes nothing."""
        found: list[float] = output.logit.tolist()
        return found

    def boundaries(self, output: Output) -> Tensor:
        """The boundary maps of a step, float32 [B, S/8, S/8] 0..1."""
        return output.boundary

    @torch.inference_mode()
    def judge_clip(self, crops: Tensor) -> Tensor:
        """Judge one track's crops uint8 [T, S, S, 3] in order, from a fresh state: logits float32 [T].

        The same as step by step, in fewer and larger batches.
        """
        state, logits = self.new_state(1), []
        for part in torch.split(crops, CLIP_BATCH):
            output, state = self.network(part.unsqueeze(0), state)
            logits.append(output.logit[0].float())
        return torch.cat(logits)

    @torch.inference_mode()
    def step(self, crops: Tensor, state: State) -> tuple[Output, State]:
        """Judge one new crop per track: `crops` uint8 [B, S, S, 3] RGB; raises `ValueError` for anything else."""
        side = self.crop_px
        if crops.dtype != torch.uint8 or crops.shape[1:] != (side, side, 3):
            raise ValueError(f"crops must be uint8 [B, {side}, {side}, 3], not {crops.dtype} {list(crops.shape)}")
        output, after = self.network(crops.unsqueeze(1), state)
        edges, kinds = torch.sigmoid(output.boundary[:, 0]).float(), torch.softmax(output.attack[:, 0], dim=1)
        return Output(output.logit[:, 0].float(), edges, kinds), after
