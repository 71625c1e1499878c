# SPDX-License-Identifier: Apache-2.0
"""The pipeline: who is clear and steady is looked at less often where the configuration lets it, nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitor.challenges import Challenges
from monitor.pipeline import Stages, watch
from monitor.policy.participant import Decision
from monitor.tempo import CALM_PER_S
from monitor.values import FaceLook, Frame, Picture, State, Verdict
from tests.fakes.feeds import ScriptedFeed

PICTURE = Picture(np.zeros((24, 16), np.uint8))


class Finders:
    """Sees nothing worth a crop."""

    @asynccontextmanager
    async def open(self, _call: str, _participant: str) -> AsyncIterator[Any]:
        """Give a look that finds no face."""

        async def look(frame: Frame) -> FaceLook:
            return FaceLook(frame.media_s)

        yield look


class Policy:
    """Calls everybody clear."""

    def step(self, media_s: float, *_: object) -> Decision:
        """One decision a frame."""
        return Decision(Verdict("call", "ann", media_s, State.CLEAR, 0.1, 0.0, (), ()))

    finish = step


class Engine:
    """Has nothing to say."""

    async def judge(self, *_: object) -> tuple[()]:
        """No evidence."""
        return ()

    def forget_participant(self, *_: object) -> None:
        """Nothing is remembered."""


@pytest.mark.parametrize(("adaptive", "per_s"), [(True, CALM_PER_S), (False, 5.0)])
async def test_the_feed_is_told_how_often_to_look(*, adaptive: bool, per_s: float) -> None:
    """After ten clear seconds."""
    frames = tuple(Frame("call", "ann", float(second), 0.0, PICTURE) for second in range(11))
    feed = ScriptedFeed(media=frames)
    feed.closed.set()

    async def deliver(_decision: Decision) -> None:
        """Nobody listens."""

    await watch(feed, Stages(Finders(), Engine(), lambda *_: Policy(), deliver, adaptive=adaptive))
    assert feed.samples_per_s == per_s


async def watched(challenges: Challenges, *, adaptive: bool, most_per_s: float = 3.75) -> ScriptedFeed:
    """The feed after ten clear seconds on a machine that has time for so many looks."""
    frames = tuple(Frame("call", "ann", float(second), 0.0, PICTURE) for second in range(11))
    feed = ScriptedFeed(media=frames)
    feed.closed.set()
    stages = Stages(Finders(), Engine(), lambda *_: Policy(), nowhere, challenges, adaptive=adaptive)
    await watch(feed, replace(stages, most_per_s=lambda: most_per_s))
    return feed


class Asking(Challenges):
    """Waits for everybody's answer."""

    def under_way(self, _call: str, _participant: str) -> bool:
        """Always."""
        return True


async def nowhere(_decision: Decision) -> None:
    """Nobody listens."""


async def test_a_busy_machine_looks_less_often_at_everybody() -> None:
    """At the calm no less often than they are looked at anyway, and never more often than usual."""
    assert (await watched(Challenges(), adaptive=False)).samples_per_s == 3.75
    assert (await watched(Challenges(), adaptive=True)).samples_per_s == CALM_PER_S
    assert (await watched(Challenges(), adaptive=False, most_per_s=10.0)).samples_per_s == 5.0


@pytest.mark.parametrize("adaptive", [True, False])
async def test_who_is_asked_something_keeps_their_looks_on_a_busy_machine(*, adaptive: bool) -> None:
    """An answer that was looked at too seldom would count against them."""
    assert (await watched(Asking(), adaptive=adaptive)).samples_per_s == 5.0


async def test_each_look_is_told() -> None:
    """Every picture judged, and how old it was by then."""
    frames = tuple(Frame("call", "ann", float(second), 0.0, PICTURE) for second in range(3))
    feed, told = ScriptedFeed(media=frames), []
    feed.closed.set()

    def looked(frame: Frame, age_s: float) -> None:
        told.append((frame.media_s, age_s > 0.0))

    await watch(feed, Stages(Finders(), Engine(), lambda *_: Policy(), nowhere, looked=looked))
    assert told == [(0.0, True), (1.0, True), (2.0, True)]
