# SPDX-License-Identifier: Apache-2.0
"""The choice of temporal layers."""

import pytest

from monitor.capture.layers import LayerChoice

PATTERN = (0, 2, 1, 2)


def watched(fps: int, seconds: float = 5.0, *, layered: bool = True) -> LayerChoice:
    """A choice that saw a stream for a while."""
    choice = LayerChoice()
    for step in range(int(fps * seconds)):
        choice.see(PATTERN[step % 4] if layered else None, step / fps)
    return choice


@pytest.mark.parametrize(
    ("fps", "per_s", "top"), [(30, 5, 0), (30, 8, 0), (30, 10, 1), (30, 20, 2), (15, 5, 1), (24, 5, 0), (10, 10, 2)]
)
def test_lowest_layer_that_brings_enough(fps: int, per_s: float, top: int) -> None:
    """The base layer serves as long as it brings nine tenths of the looks that are wanted."""
    assert watched(fps).top(per_s) == top


def test_unknown_stream_is_decoded_whole() -> None:
    """Before two seconds have passed nothing is left out; a stream without layers is all base."""
    assert LayerChoice().top(1) == 3
    assert watched(30, 1.5).top(1) == 3
    assert watched(30, layered=False).top(30) == 0


def test_media_time_that_jumps_starts_a_new_count() -> None:
    """A step back or far ahead ends the window, and an outage only makes the choice more generous."""
    choice = watched(30)
    choice.see(0, 1.0)
    choice.see(0, 500.0)
    assert choice.top(5) in {2, 3}
    for step in range(150):
        choice.see(PATTERN[step % 4], 500 + step / 30)
    assert choice.top(5) == 0
