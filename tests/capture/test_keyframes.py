# SPDX-License-Identifier: Apache-2.0
"""When a keyframe is asked for."""

from itertools import pairwise

from monitor.capture.keyframes import EVERY_S, KeyframeWatch


def test_start_waits_for_the_first_keyframe() -> None:
    """Before anything was refused the sender gets a while; a keyframe that comes makes asking needless."""
    watch = KeyframeWatch()
    assert not watch.due(needed=True, now_s=0.0)
    assert not watch.due(needed=True, now_s=EVERY_S - 0.01)
    assert watch.due(needed=True, now_s=EVERY_S)
    assert not watch.due(needed=False, now_s=EVERY_S + 0.1)
    assert not watch.due(needed=False, now_s=9.0)


def test_refused_picture_asks_at_once_but_not_too_often() -> None:
    """A refused picture asks now; a decoder that fails at every keyframe asks no more often than the rest."""
    watch = KeyframeWatch()
    watch.refuse()
    assert watch.due(needed=True, now_s=1.0)
    asked = []
    for step in range(1, 100):
        watch.due(needed=False, now_s=1.0 + step / 100)
        watch.refuse()
        if watch.due(needed=True, now_s=1.0 + step / 100):
            asked.append(step)
    assert len(asked) == 3
    assert all(later - earlier >= 30 for earlier, later in pairwise([0, *asked]))
