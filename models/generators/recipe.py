# SPDX-License-Identifier: Apache-2.0
"""The generators there are: what each paints, how it is built, and how long it learns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from torch import nn

from models.generators.autoencoder import Autoencoder, AutoencoderPlan
from models.generators.blocks import UPSAMPLERS
from models.generators.painter import Painter, PainterPlan

__all__ = ["VARIANTS", "Variant", "build"]


@dataclass(frozen=True, slots=True)
class Variant:
    """`task` is a name of `models.generators.tasks`, done at `side_px`; `share` of the time; `early` also keeps the
    weights before the critic speaks; `steps` bounds the learning where no time does.
    """

    task: str
    plan: AutoencoderPlan | PainterPlan
    side_px: int
    share: float
    early: bool = False
    batch: int = 12
    steps: int = 2000
    rate: float = 2e-3
    critic_rate: float = 4e-4
    critic_from: float = 0.45
    persuasion: float = 0.04
    features: float = 1.0
    seed: int = 20261122

    @property
    def decoders(self) -> int:
        """How many decoders share the encoder."""
        return len(self.plan.upsamplers) if isinstance(self.plan, AutoencoderPlan) else 1


VARIANTS: Final[Mapping[str, Variant]] = {
    "map": Variant("copy", AutoencoderPlan((20, 36, 56), 16, (56, 36, 24), UPSAMPLERS, (), 8), 96, 0.25, early=True),
    "quantised": Variant(
        "copy", AutoencoderPlan((24, 40), 5, (48, 24), ("nearest", "transposed"), (7,) * 5), 96, 0.18, early=True
    ),
    "swap": Variant(
        "swap", AutoencoderPlan((20, 36, 56), 16, (56, 36, 24), ("shuffle",) * 3, (), 8), 112, 0.25, early=True
    ),
    "reenact": Variant("reenact", PainterPlan(4, (20, 36, 48, 56), "bilinear"), 112, 0.16),
    "mouth": Variant("mouth", PainterPlan(7, (20, 36, 48, 56), "transposed"), 96, 0.16),
}
"""Sides, upsamplers and middles differ as those of published generators do, so that no one trace is what is learnt."""


def build(variant: Variant) -> nn.Module:
    """Make the untrained network."""
    return Autoencoder(variant.plan) if isinstance(variant.plan, AutoencoderPlan) else Painter(variant.plan)
