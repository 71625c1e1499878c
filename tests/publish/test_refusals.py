# SPDX-License-Identifier: Apache-2.0
"""Refused topics wait longer and longer, each for itself."""

from monitor.errors import RefusedError
from monitor.publish.refusals import Refusals

ERROR = RefusedError("The broker refused it.", "Allow it.")


def test_a_refused_topic_is_held_and_then_tried_again() -> None:
    """A topic is held for its back-off, the reason stays until the broker accepts it."""
    now_s = [0.0]
    refusals = Refusals(30.0, clock=lambda: now_s[0])
    refusals.note("a", ERROR)
    assert refusals.held == ("a",)
    assert 0 < (refusals.wait_s or 0) <= 1.0
    now_s[0] = 1.0
    assert refusals.held == ()
    assert refusals.reason is not None
    refusals.forget("a")
    assert refusals.reason is None
    assert refusals.count == 1


def test_waits_grow_per_topic() -> None:
    """The tenth refusal of a topic may wait up to the limit, while a new topic starts short."""
    now_s = [0.0]
    refusals = Refusals(30.0, clock=lambda: now_s[0])
    for _ in range(10):
        refusals.note("old", ERROR)
    refusals.note("new", ERROR)
    now_s[0] = 1.0
    assert refusals.held == ("old",)


def test_topics_are_bounded() -> None:
    """A broker that refuses everything does not grow the list without end."""
    refusals = Refusals(30.0, clock=lambda: 0.0)
    for n in range(2000):
        refusals.note(f"t{n}", ERROR)
    assert len(refusals.held) == 256
    assert refusals.count == 2000
