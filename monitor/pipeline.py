# SPDX-License-Identifier: Apache-2.0
"""One participant's media in, verdicts and alerts out: the five stages in the order of the flow."""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from monitor.capture.feed import Feed
from monitor.challenges import Challenges
from monitor.finders import Finders, Look
from monitor.liveness.judging import Judging
from monitor.metrics import observe_latency, timed
from monitor.policy.participant import Decision, ParticipantPolicy
from monitor.tempo import Tempo
from monitor.values import Context, FaceLook, Frame, Stall

__all__ = ["Stages", "watch"]

SOUND_S: Final = 2.0
"""Sound handed on with every frame: sound that comes a second late is still heard once, whatever the frame rate."""


@dataclass(frozen=True, slots=True)
class Stages:
    """What every participant shares: face finding threads, the engine, the operating point, the way out, the desk.

    Of those who are clear and steady, `resting` lets the network leave out looks, `adaptive` everybody. There is time
    for `most_per_s()` looks a second at anybody. `looked` is told of each picture judged, and how long after it came.
    """

    finders: Finders
    engine: Judging
    new_policy: Callable[[str, str], ParticipantPolicy]
    deliver: Callable[[Decision], Awaitable[None]]
    challenges: Challenges = field(default_factory=Challenges)
    adaptive: bool = False
    resting: bool = False
    most_per_s: Callable[[], float] = lambda: math.inf
    looked: Callable[[Frame, float], None] = lambda _frame, _seconds: None


async def watch(feed: Feed, stages: Stages) -> None:
    """Judge one participant until the feed ends; the last decision closes what is open."""
    policy = stages.new_policy(feed.call, feed.participant)
    usual_per_s = feed.samples_per_s
    tempo = Tempo(usual_per_s)
    media_s = 0.0
    async with stages.finders.open(feed.call, feed.participant) as look:
        try:
            async for media in feed.media():
                rests = stages.resting and isinstance(media, Frame) and tempo.rests(media.media_s)
                decision = await _decide(media, feed, look, policy, stages, rests=rests)
                media_s = decision.verdict.media_s
                asked = stages.challenges.under_way(feed.call, feed.participant)
                tempo.after(decision, asked=asked)
                wished_per_s = tempo.looks_per_s if stages.adaptive else usual_per_s
                # An answer is measured in the looks: too few would count against who gives it.
                feed.samples_per_s = usual_per_s if asked else min(wished_per_s, stages.most_per_s())
                await _deliver(decision, stages)
                if isinstance(media, Frame):
                    _note_age(media, stages)
            await _deliver(policy.finish(media_s), stages)
        finally:
            stages.engine.forget_participant(feed.call, feed.participant)
            await stages.challenges.leave(feed.call, feed.participant)


async def _decide(
    media: Frame | Stall, feed: Feed, look: Look, policy: ParticipantPolicy, stages: Stages, *, rests: bool
) -> Decision:
    if isinstance(media, Stall):
        await stages.challenges.answer(media, None)
        return policy.stall(media)
    with timed("faces"):
        seen = await look(media)
    with timed("liveness"):
        judgeable = [crop for crop in seen.crops if crop.quality.judgeable]
        context = Context(media.facts, media.arrived_s, feed.heard(SOUND_S), rests)
        evidence = await stages.engine.judge(judgeable, context)
    answers = await stages.challenges.answer(media, seen, context.sound)
    _forget_ended(media, seen, stages.engine)
    with timed("policy"):
        return policy.step(media.media_s, seen, (*evidence, *answers), media.facts)


def _forget_ended(frame: Frame, seen: FaceLook, engine: Judging) -> None:
    for track in seen.ended_tracks:
        engine.forget(frame.call, frame.participant, track)


def _note_age(frame: Frame, stages: Stages) -> None:
    age_s = time.monotonic() - frame.arrived_s
    observe_latency(age_s)
    stages.looked(frame, age_s)


async def _deliver(decision: Decision, stages: Stages) -> None:
    with timed("publish"):
        await stages.deliver(decision)
