# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 with a causal temporal shift: pictures in, two feature maps and a pooled map out."""

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that every reader of torch code expects

from models.networks.depthwise import depthwise_conv
from models.networks.shift import shift_channels, shift_width

__all__ = ["BLOCKS", "Backbone", "BackboneFeatures", "BlockPlan", "plan_blocks"]

NORM_EPSILON: Final = 1e-3
STEM_CHANNELS: Final = 32
TOP_CHANNELS: Final = 1280
PIXEL_CENTRE: Final = 127.0
PIXEL_SCALE: Final = 128.0
"""The published Lite0 weights expect (x - 127) / 128 (efficientnet-lite, TensorFlow TPU models)."""


class BlockPlan(NamedTuple):
    """One inverted residual block: expansion, kernel, stride, channels in and out, whether time is shifted in it."""

    expansion: int
    kernel: int
    stride: int
    channels_in: int
    channels_out: int
    shifted: bool


STAGES: Final = (
    # repeats, kernel, stride, expansion, channels: EfficientNet-B0's table with Lite0's fixed stem and head
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
FIRST_SHIFTED_STAGE: Final = 3


def plan_blocks() -> tuple[BlockPlan, ...]:
    """Spell out the stages; time is shifted where a block of the later stages keeps its input as residual."""
    plans: list[BlockPlan] = []
    channels_in = STEM_CHANNELS
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES):
        for repeat in range(repeats):
            residual = repeat > 0
            shifted = residual and stage >= FIRST_SHIFTED_STAGE
            plans.append(BlockPlan(expansion, kernel, 1 if residual else stride, channels_in, channels, shifted))
            channels_in = channels
    return tuple(plans)


BLOCKS: Final = plan_blocks()
FINE_BLOCK: Final = 4
COARSE_BLOCK: Final = 10
"""The last blocks at an eighth and at a sixteenth of the picture's side."""


class BackboneFeatures(NamedTuple):
    """`fine` [N, 40, S/8, S/8], `coarse` [N, 112, S/16, S/16], `top` [N, 1280, S/32, S/32] (sides rounded up)."""

    fine: Tensor
    coarse: Tensor
    top: Tensor


def _same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME rule: the odd pixel goes to the right and to the bottom."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


class ConvNorm(nn.Sequential):
    """A convolution padded as TensorFlow does, a normalisation with fixed statistics, and ReLU6 unless `linear`.

    The statistics are the published ones and stay: training batches hold too few people for better ones. So the
    normalisation is folded into the convolution each time, which spares a fifth of the work.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        *,
        linear: bool = False,
    ) -> None:
        convolution = nn.Conv2d(channels_in, channels_out, kernel, stride, groups=groups, bias=False)
        norm = nn.BatchNorm2d(channels_out, eps=NORM_EPSILON)
        super().__init__(convolution, norm, nn.Identity() if linear else nn.ReLU6(inplace=True))
        self.kernel, self.stride, self.groups = kernel, stride, groups
        self.fixed_weight: Tensor | None = None
        self.fixed_bias: Tensor | None = None

    def fix(self, kind: torch.dtype) -> None:
        """Fold once and for all, then round to `kind`; for a network that learns no more."""
        weight, bias = (value.detach().to(kind) for value in self.folded())
        self.fixed_weight, self.fixed_bias = weight.contiguous(memory_format=torch.channels_last), bias

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the convolution with the normalisation in it."""
        if self.fixed_weight is not None and self.fixed_bias is not None:
            return self.fixed_weight, self.fixed_bias
        convolution, norm = cast("nn.Conv2d", self[0]), cast("nn.BatchNorm2d", self[1])
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        return convolution.weight * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale

    def forward(self, picture: Tensor) -> Tensor:
        """`picture` [N, C, H, W]; the odd pixel of an uneven padding goes to the right and to the bottom."""
        weight, bias = self.folded()
        padding = self.kernel // 2
        if self.stride > 1:
            picture, padding = self._padded(picture), 0
        if self.groups > 1 and self.training:
            return cast("Tensor", self[2](depthwise_conv(picture, weight, bias, self.stride, padding)))
        return cast("Tensor", self[2](F.conv2d(picture, weight, bias, self.stride, padding, groups=self.groups)))

    def _padded(self, picture: Tensor) -> Tensor:
        top, bottom = _same_padding(picture.shape[-2], self.kernel, self.stride)
        left, right = _same_padding(picture.shape[-1], self.kernel, self.stride)
        return F.pad(picture, (left, right, top, bottom))


class Block(nn.Module):
    """An inverted residual block without squeeze-and-excitation (Lite: ReLU6 throughout)."""

    def __init__(self, plan: BlockPlan) -> None:
        super().__init__()
        wide = plan.channels_in * plan.expansion
        self.plan = plan
        self.expand = nn.Sequential()
        if plan.expansion != 1:
            self.expand = ConvNorm(plan.channels_in, wide, 1)
        self.depthwise = ConvNorm(wide, wide, plan.kernel, plan.stride, groups=wide)
        self.project = ConvNorm(wide, plan.channels_out, 1, linear=True)
        self.residual = plan.stride == 1 and plan.channels_in == plan.channels_out

    def forward(self, features: Tensor, mixed: Tensor | None = None) -> Tensor:
        """`features` [N, C, H, W]; `mixed` is the same with time shifted in it and feeds the branch only."""
        branch = features if mixed is None else mixed
        branch = cast("Tensor", self.project(self.depthwise(self.expand(branch))))
        return features + branch if self.residual else branch


class Backbone(nn.Module):
    """The blocks of EfficientNet-Lite0 in order, the shift caches held by the caller."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, STEM_CHANNELS, 3, 2)
        self.blocks = nn.ModuleList(Block(plan) for plan in BLOCKS)
        self.top = ConvNorm(BLOCKS[-1].channels_out, TOP_CHANNELS, 1)
        self.kind = torch.float32
        """In which the convolutions compute; caches are float32 always."""

    def fix(self, kind: torch.dtype = torch.float32) -> None:
        """Fold every normalisation once and for all and compute in `kind`; for a network that learns no more."""
        self.kind = kind
        for part in self.modules():
            if isinstance(part, ConvNorm):
                part.fix(kind)

    def cache_shapes(self, side_px: int) -> tuple[tuple[int, int, int], ...]:
        """Shape of each shift cache, without the track's dimension, for pictures of `side_px`."""
        shapes = []
        side = -(-side_px // 2)
        for plan in BLOCKS:
            if plan.shifted:
                shapes.append((shift_width(plan.channels_in), side, side))
            side = -(-side // plan.stride)
        return tuple(shapes)

    def forward(
        self, clips: Tensor, caches: Sequence[Tensor], fresh: Tensor
    ) -> tuple[BackboneFeatures, tuple[Tensor, ...]]:
        """`clips` uint8 [B, T, S, S, 3] RGB; returns features of all B * T pictures and the caches after the clip."""
        tracks, frames = clips.shape[:2]
        pictures = (clips.flatten(0, 1).permute(0, 3, 1, 2).float() - PIXEL_CENTRE) / PIXEL_SCALE
        features = self.stem(pictures.to(self.kind).contiguous(memory_format=torch.channels_last))
        after: list[Tensor] = []
        kept: dict[int, Tensor] = {}
        for index, block in enumerate(self.blocks):
            mixed = None
            if BLOCKS[index].shifted:
                in_time = features.unflatten(0, (tracks, frames))
                shifted, cache = shift_channels(in_time, caches[len(after)], fresh)
                mixed = shifted.flatten(0, 1).contiguous(memory_format=torch.channels_last)
                after.append(cache)
            features = block(features, mixed)
            kept[index] = features
            if index not in (FINE_BLOCK, COARSE_BLOCK):
                kept.pop(index)
        return BackboneFeatures(kept[FINE_BLOCK], kept[COARSE_BLOCK], self.top(features)), tuple(after)
