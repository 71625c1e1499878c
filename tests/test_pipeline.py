# SPDX-License-Identifier: Apache-2.0
"""The pipeline: who is clear and steady is looked at less often where the configuration lets it, nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

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
