# SPDX-License-Identifier: Apache-2.0
"""What the benchmark of losses makes of the moments at which pictures came."""

from monitor.bench.loss import LOSSES, Freeze, frozen


def test_gaps_that_show_are_freezes() -> None:
    """The longest gap and the sum of those above a fifth of a second; how long after the outage a picture came."""
    assert frozen([0.0, 0.1, 0.2, 1.7, 1.8, 2.1], 1.5) == Freeze(6, 1.5, 1.5 + (2.1 - 1.8), 1.7 - 1.5)


def test_stream_that_never_comes_back() -> None:
    """No picture after the outage is told as such, and nothing shown is no freeze of zero pictures' length."""
    assert frozen([0.0, 0.1], 3.0).back_s is None
    assert frozen([], None) == Freeze(0, 0.0, 0.0, None)


def test_losses_have_names_of_their_own() -> None:
    """Every kind of loss is one line of the table."""
    names = [loss.name for loss in LOSSES]
    assert len(set(names)) == len(names) == 7
