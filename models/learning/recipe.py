# SPDX-License-Identifier: Apache-2.0
"""The defaults of a training run, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from models.data.batches import Shape
from models.data.making import Making, StyledKind
from models.forgeries.mix import SHARES

__all__ = ["FROM_IMAGENET", "FULL", "RECIPES", "Recipe"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what is learnt; the card prints it.

    `shapes` are taken in turn. Rates are AdamW learning rates after the warm-up, falling along a cosine; the weights
    that ship are the exponential average. `least_face_px` leaves out faces too small to hold traces. `kinds`, `styled`,
    `codec` and the shares from `styled_share` to `harmless_share` are those of `Making`. Without `temporal` every frame
    is learnt from by itself.
    """

    seed: int = 20261122
    crop_px: int = 128
    steps: int = 4000
    shapes: tuple[Shape, ...] = (Shape(8, 5, films=True), Shape(40, 1, films=False), Shape(20, 2, films=True))
    grey_share: float = 0.1
    kinds: tuple[tuple[str, float], ...] = tuple(SHARES.items())
    styled: tuple[StyledKind, ...] = ()
    styled_share: float = 0.3
    camera_share: float = 0.6
    matched_share: float = 0.8
    harmless_share: float = 0.2
    codec: bool = True
    temporal: bool = True
    head_rate: float = 1e-3
    backbone_rate: float = 5e-4
    weight_decay: float = 0.02
    warm_up_steps: int = 80
    least_rate: float = 0.02
    clip_norm: float = 5.0
    average_decay: float = 0.997
    still_weight: float = 0.5
    rank_weight: float = 0.5
    tail_weight: float = 0.3
    boundary_weight: float = 1.0
    attack_weight: float = 0.1
    quality_weight: float = 0.2
    smoothing: float = 0.02
    least_face_px: float = 56.0
    held_out_share: float = 0.05

    @property
    def making(self) -> Making:
        """How its pairs are made."""
        return Making(
            kinds=self.kinds,
            styled=self.styled,
            styled_share=self.styled_share,
            camera_share=self.camera_share,
            matched_share=self.matched_share,
            harmless_share=self.harmless_share,
            codec=self.codec,
        )


FULL: Final = Recipe()
"""Every kind of forgery and every treatment, to go on from weights that tell blends apart already."""

FROM_IMAGENET: Final = Recipe(
    steps=1800,
    shapes=(Shape(8, 5, films=True), Shape(20, 2, films=False), Shape(20, 2, films=False)),
    kinds=(("self_blend", 0.50), ("low_resolution", 0.09), ("cross_identity", 0.24), ("mouth", 0.12), ("drift", 0.05)),
    camera_share=0.0,
    harmless_share=0.1,
)
"""From ImageNet's weights to the figures of those that ship, in one run (docs/decisions/0055)."""

RECIPES: Final[Mapping[str, Recipe]] = {"full": FULL, "from-imagenet": FROM_IMAGENET}
"""By the names that commands know them by."""
