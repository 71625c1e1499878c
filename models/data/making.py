# SPDX-License-Identifier: Apache-2.0
"""How pairs of twins are made, as plain values that a recipe sets and an ablation changes."""

from dataclasses import dataclass

import numpy as np

from models.forgeries.mix import SHARES
from models.forgeries.style import PLAIN, Style

__all__ = ["Making", "StyledKind"]


@dataclass(frozen=True, slots=True)
class StyledKind:
    """A kind of forgery in a style that a contest found, and how often it is drawn among its like."""

    kind: str
    style: Style
    weight: float


@dataclass(frozen=True, slots=True)
class Making:
    """`kinds` with their shares; a share `styled_share` of the forgeries is drawn from `styled` instead.

    `camera_share` is the chance that a clip is shown as by another camera before it is forged, in both twins.
    `matched_share` of the twins are made equally sharp, `harmless_share` are treated as cameras and beauty filters do;
    `codec` sends some through a real encoder.
    """

    kinds: tuple[tuple[str, float], ...] = tuple(SHARES.items())
    styled: tuple[StyledKind, ...] = ()
    styled_share: float = 0.0
    camera_share: float = 0.0
    matched_share: float = 0.8
    harmless_share: float = 0.15
    codec: bool = True

    def draw_kind(self, rng: np.random.Generator) -> tuple[str, Style]:
        """Draw what to forge and in which style."""
        if self.styled and rng.random() < self.styled_share:
            weights = np.array([one.weight for one in self.styled])
            chosen = self.styled[int(rng.choice(len(self.styled), p=weights / weights.sum()))]
            return chosen.kind, chosen.style
        shares = np.array([share for _, share in self.kinds])
        return self.kinds[int(rng.choice(len(self.kinds), p=shares / shares.sum()))][0], PLAIN
