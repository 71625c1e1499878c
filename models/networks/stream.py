# SPDX-License-Identifier: Apache-2.0
"""The detector's network: clips of face crops and a state in, logits, boundary maps and the state out."""

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that every reader of torch code expects

from models.networks.backbone import BLOCKS, COARSE_BLOCK, FINE_BLOCK, TOP_CHANNELS, Backbone
from models.networks.temporal import TemporalHead

__all__ = ["ATTACKS", "QUALITIES", "ClipOutput", "State", "StreamNetwork"]

ATTACKS: Final = ("face_swap", "lip_sync", "reenactment", "synthetic", "replay", "print")
"""What the attack-kind head tells apart, in the order of its outputs."""

QUALITIES: Final = ("face size", "compression", "blur", "noise")
"""What the quality head estimates, each 0..1."""

FEATURE_WIDTH: Final = 128
MAP_WIDTH: Final = 32
DROPOUT: Final = 0.2

State = tuple[Tensor, ...]
"""First the number of frames seen, float32 [B, 1]; then the caches of the shifts and of the temporal layers."""


class ClipOutput(NamedTuple):
    """`logit` [B, T], positive speaks for forgery; `still_logit` the same from each frame's picture without the
    temporal layers; `boundary` logits [B, T, S/8, S/8] of a blending boundary; `attack` logits [B, T, 6] of the kinds
    in `ATTACKS`, given that the face is forged; `quality` [B, T, 4] 0..1 as in `QUALITIES`; `feature` [B, T, 128].
    """

    logit: Tensor
    still_logit: Tensor
    boundary: Tensor
    attack: Tensor
    quality: Tensor
    feature: Tensor


class StreamNetwork(nn.Module):
    """EfficientNet-Lite0 with temporal shift, a causal temporal head, and a boundary map.

    One call may bring any number of frames for each track: a clip in training, one frame in a live call. The result
    does not depend on how the frames are cut into calls. `crop_px` is the side of the crops; the weights fit any.
    """

    def __init__(self, crop_px: int = 112) -> None:
        super().__init__()
        self.crop_px = crop_px
        self.backbone = Backbone()
        self.feature = nn.Linear(TOP_CHANNELS, FEATURE_WIDTH)
        self.temporal = TemporalHead(FEATURE_WIDTH)
        self.still = nn.Linear(FEATURE_WIDTH, 1)
        self.moving = nn.Linear(FEATURE_WIDTH, 1)
        coarse, fine = BLOCKS[COARSE_BLOCK].channels_out, BLOCKS[FINE_BLOCK].channels_out
        self.attack = nn.Linear(FEATURE_WIDTH, len(ATTACKS))
        self.quality = nn.Linear(FEATURE_WIDTH, len(QUALITIES))
        self.map_coarse = nn.Conv2d(coarse, MAP_WIDTH, 1)
        self.map_fine = nn.Conv2d(fine, MAP_WIDTH, 1)
        self.map_out = nn.Conv2d(MAP_WIDTH, 1, 3, padding=1)
        nn.init.zeros_(self.moving.weight)

    def new_state(self, tracks: int, device: torch.device | None = None) -> State:
        """An empty state for `tracks` tracks; its size depends on nothing else."""
        shapes: list[tuple[int, ...]] = [(1,), *self.backbone.cache_shapes(self.crop_px), *self.temporal.cache_shapes()]
        return tuple(torch.zeros(tracks, *shape, device=device) for shape in shapes)

    def forward(self, clips: Tensor, state: State) -> tuple[ClipOutput, State]:
        """`clips` uint8 [B, T, S, S, 3] RGB, in order of time; `state` of the same B tracks."""
        tracks, frames = clips.shape[:2]
        seen, fresh = state[0], state[0][:, 0] < 0.5
        shifts = len(state) - 1 - len(self.temporal.layers)
        features, shift_caches = self.backbone(clips, state[1 : 1 + shifts], fresh)
        pooled = features.top.float().mean(dim=(2, 3))
        feature = self.feature(F.dropout(pooled, DROPOUT, self.training)).view(tracks, frames, FEATURE_WIDTH)
        moved, head_caches = self.temporal(feature, state[1 + shifts :], fresh)
        active = F.relu(feature)
        still = self.still(active).squeeze(-1)
        logit = still + self.moving(F.relu(moved)).squeeze(-1)
        edges = self._boundary(features.fine.float(), features.coarse.float())
        boundary = edges.view(tracks, frames, *edges.shape[-2:])
        after = (seen + float(frames), *shift_caches, *head_caches)
        attack, quality = self.attack(active).float(), torch.sigmoid(self.quality(active)).float()
        return ClipOutput(logit, still, boundary, attack, quality, feature), after

    def _boundary(self, fine: Tensor, coarse: Tensor) -> Tensor:
        wide = F.interpolate(self.map_coarse(coarse), size=fine.shape[-2:], mode="bilinear", align_corners=False)
        edges: Tensor = self.map_out(F.relu(wide + self.map_fine(fine)))
        return edges.squeeze(1).float()
