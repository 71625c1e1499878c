# SPDX-License-Identifier: Apache-2.0
"""What is measured of the boundary map, on networks whose maps are known."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from models.boundary import Localised, Looked, auc, known_boundaries, shown, worst_map
from tests.fakes.drawn_faces import drawn_footage


@dataclass
class RingDetector:
    """Sees the same ring in every crop, brighter where the crop is; the logit is the crop's brightness."""

    def new_state(self, tracks: int) -> tuple[Tensor, ...]:
        """No state."""
        return (torch.zeros(tracks),)

    def step(self, crops: Tensor, state: tuple[Tensor, ...]) -> tuple["RingDetector", tuple[Tensor, ...]]:
        """The brightness."""
        self.logit = crops.float().mean(dim=(1, 2, 3)) / 255.0
        self.side = crops.shape[1] // 8
        return self, state

    def boundaries(self, output: "RingDetector") -> Tensor:
        """The ring."""
        ring = torch.zeros(len(output.logit), output.side, output.side)
        ring[:, 2:-2, 2:-2] = 1.0
        ring[:, 4:-4, 4:-4] = 0.0
        return ring * output.logit[:, None, None]


def test_auc_is_the_share_of_ordered_pairs() -> None:
    """Ties count half."""
    assert auc([2.0, 3.0], [1.0, 2.0]) == pytest.approx(0.875)


def test_a_map_that_only_expects_is_found_out() -> None:
    """A network that draws the same ring on everybody does no better on the forgery than on its twin."""
    footage = [drawn_footage(4, seed) for seed in range(3)]
    found = known_boundaries(RingDetector(), footage, 4)
    assert found.pairs == 4
    assert found.auc == pytest.approx(found.genuine_auc, abs=0.05)
    assert found == known_boundaries(RingDetector(), footage, 4)


def test_the_worst_look_is_the_one_with_the_highest_logit() -> None:
    """Its map comes with it."""
    footage = drawn_footage(6, 1)
    worst = worst_map(RingDetector(), footage)
    assert worst.map.shape[0] * 8 == footage.rgb.shape[1] * 2 // 3
    assert worst.map.max() == pytest.approx(worst.logit)


def test_the_table_compares_with_bona_fide_films() -> None:
    """One row a label, bona fide people first; twice as bright a ring is as alike."""
    ring = RingDetector()
    ring.step(torch.full((1, 112, 112, 3), 255, dtype=torch.uint8), (torch.zeros(1),))
    usual = np.asarray(ring.boundaries(ring)[0].numpy())
    films = [Looked("real", usual * level, level) for level in (0.1, 0.2)] + [Looked("swap", usual * 0.4, 0.3)]
    text = shown(Localised(3, 0.2, 0.1, 0.15, 0.7, 0.6), films)
    assert "| real | 2 |" in text
    assert "| swap | 1 | " in text
    assert text.endswith("| 0.400 | 1.00 | 1.000 | 1.000 |")
