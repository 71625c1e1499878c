# SPDX-License-Identifier: Apache-2.0
"""Arithmetic and traffic of a look, counted."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from models.networks.backbone import BLOCKS, STEM_CHANNELS, TOP_CHANNELS
from models.networks.stream import StreamNetwork
from models.work import count

SIDE_PX = 64


def backbone_products() -> int:
    """Multiplications of the backbone, from its plan."""
    side = SIDE_PX // 2
    total = side * side * STEM_CHANNELS * 3 * 9
    for plan in BLOCKS:
        wide = plan.channels_in * plan.expansion
        if plan.expansion != 1:
            total += side * side * plan.channels_in * wide
        side //= plan.stride
        total += side * side * wide * plan.kernel**2 + side * side * wide * plan.channels_out
    return total + side * side * BLOCKS[-1].channels_out * TOP_CHANNELS


def test_the_arithmetic_is_that_of_the_plan_and_of_torchs_own_counter() -> None:
    """All but a thousandth or so lies in the backbone; torch counts the same to the last operation."""
    network = StreamNetwork(SIDE_PX).eval()
    found = count(network)
    crop = torch.zeros(1, 1, SIDE_PX, SIDE_PX, 3, dtype=torch.uint8)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(crop, network.new_state(1))
    assert found.flops == counter.get_total_flops()
    assert 1.0 < found.flops / (2 * backbone_products()) < 1.03


def test_weights_are_counted_once_and_values_with_the_picture() -> None:
    """Four times the pixels are four times the values through the layers, and the same weights."""
    small, large = count(StreamNetwork(SIDE_PX).eval()), count(StreamNetwork(2 * SIDE_PX).eval())
    assert small.weights == large.weights
    learnt = sum(value.numel() for value in StreamNetwork(SIDE_PX).parameters())
    assert 0.97 < small.weights / learnt < 1.0
    assert 3.9 < large.values / small.values < 4.0
