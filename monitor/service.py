# SPDX-License-Identifier: Apache-2.0
"""Settings in, the composed service out: engine, publisher, calls, WHIP server, pulls and HTTP."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version

from monitor import assets
from monitor.cadence import due
from monitor.calls import Calls
from monitor.capture.feed import Feed
from monitor.capture.passes import Passes
from monitor.capture.whep import WhepClient
from monitor.capture.whip import WhipServer
from monitor.challenges import Challenges
from monitor.config import Settings
from monitor.finders import Finders
from monitor.health import Check
from monitor.liveness.detector import Load
from monitor.liveness.engine import Engine
from monitor.liveness.judging import Judging
from monitor.load.guard import Guard
from monitor.load.machine import cores
from monitor.load.meter import Meter
from monitor.outlet import Desk, Outlet
from monitor.pipeline import Stages, watch
from monitor.policy.participant import Decision, ParticipantPolicy
from monitor.publish.events import ParticipantMedia
from monitor.publish.explanations.album import open_album
from monitor.publish.explanations.desk import ExplanationDesk
from monitor.publish.explanations.pictures import Pictures
from monitor.publish.identity import identify
from monitor.publish.live import Live
from monitor.publish.publisher import Publisher, Sink
from monitor.values import Reason, Verdict

__all__ = ["Service", "Watching", "open_service", "taking_calls"]


class Watching:
    """Calls that come in, are judged by `engine` and told of at `outlet`, for as long as the process lives."""

    def __init__(
        self, settings: Settings, engine: Judging, outlet: Outlet, finders: Finders, passes: Passes | None = None
    ) -> None:
        self.settings = settings
        self.judging = engine
        self.outlet = outlet
        self.finders = finders
        self._said: dict[tuple[str, str], Verdict] = {}
        self.passes = passes or Passes()
        self.challenges = Challenges(self._present, outlet.challenge, settings.challenge.kinds)
        self.meter = Meter(self._feeds)
        self._rates: dict[tuple[str, str], float] = {}
        self.stages = Stages(
            finders,
            engine,
            self._new_policy,
            self._deliver,
            self.challenges,
            adaptive=settings.capture.adaptive,
            resting=settings.liveness.resting,
            most_per_s=lambda: self.load.most_per_s,
            looked=self.meter.looked,
        )

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Take calls from now on, each in a task group inside `group`."""
        self.calls = Calls(group, partial(watch, stages=self.stages), self._changed)
        # The processes of one service share its cores, those that judge among them.
        share = cores() / self.settings.node.sharing
        self.load = Guard(self.settings.load, self.settings.capture.samples_per_s, share, self.meter.sample)
        self.whip = WhipServer(self.settings, self.calls.admit, self.passes, self._busy)
        self.pulls = tuple(
            WhepClient(self.settings, pull, self.calls.admit, self._busy) for pull in self.settings.pulls
        )

    @property
    def sessions(self) -> int:
        """Participants who are here or on their way."""
        return self.whip.sessions + sum(pull.taken_in for pull in self.pulls)

    def checks(self) -> Mapping[str, Check]:
        """Readiness: the model judges, there is room for another participant, what is published arrives."""
        own = {
            "model": Check(self.judging.healthy, self.judging.condition),
            "capacity": self._capacity(),
            "draining": Check(not self.whip.draining, "shutting down" if self.whip.draining else "takes calls"),
        }
        pulls = {f"pull {number}": _pull_check(pull) for number, pull in enumerate(self.pulls, 1)}
        return own | pulls | {name: Check(*check) for name, check in self.outlet.checks().items()}

    def _capacity(self) -> Check:
        if self.whip.sessions >= self.settings.whip.max_participants:
            return Check(False, "all places for participants are taken")
        busy, words = self._busy(), self.load.words(self.sessions)
        return Check(busy is None, words if busy is None else f"{busy} {words}")

    def _feeds(self) -> tuple[Feed, ...]:
        return self.calls.all_feeds()

    def _busy(self) -> str | None:
        return self.load.refusal(self.sessions)

    def drain(self) -> None:
        """Take no new participants; those here stay."""
        self.whip.drain()

    async def settle(self) -> None:
        """Send everybody away and wait, within `node.drain_s`, until the last word on each was said."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.node.drain_s):
                await asyncio.gather(*(feed.close() for feed in self.calls.all_feeds()))
                await self.calls.all_ended()

    def _present(self, call: str, participant: str) -> bool:
        return participant in self.calls.feeds(call)

    def _new_policy(self, call: str, participant: str) -> ParticipantPolicy:
        return ParticipantPolicy(call, participant, self.settings.policy.profile, partial(secrets.token_hex, 16))

    async def _deliver(self, decision: Decision) -> None:
        for alert in decision.alerts:
            await self.outlet.alert(alert, self.judging.worst(alert.call, alert.participant, alert.track))
        verdict = decision.verdict
        name = (verdict.call, verdict.participant)
        before = self._said.get(name)
        if due(before, verdict):
            self._said[name] = verdict
            await self.outlet.verdict(verdict)
        if before is None or _stalled(before) != _stalled(verdict) or self._paced_anew(name):
            self._changed(verdict.call, self.calls.feeds(verdict.call))

    def _paced_anew(self, name: tuple[str, str]) -> bool:
        """Whether somebody is looked at more often or less often than was told."""
        feed = self.calls.feeds(name[0]).get(name[1])
        return feed is not None and self._rates.get(name) != feed.samples_per_s

    def _changed(self, call: str, feeds: Mapping[str, Feed]) -> None:
        for name in [name for name in self._said if name[0] == call and name[1] not in feeds]:
            del self._said[name]
            self.outlet.participant_left(*name)
        self._rates = {name: rate for name, rate in self._rates.items() if name[0] != call or name[1] in feeds}
        if feeds:
            self.outlet.call_state(call, [self._health(call, who, feed) for who, feed in sorted(feeds.items())])
        else:
            self.outlet.call_ended(call)

    def _health(self, call: str, participant: str, feed: Feed) -> ParticipantMedia:
        counts, said = feed.counts, self._said.get((call, participant))
        self._rates[call, participant] = feed.samples_per_s
        return ParticipantMedia(
            participant=participant,
            stalled=said is not None and _stalled(said),
            received_frames=counts.received,
            sampled_frames=counts.sampled,
            dropped_frames=counts.dropped,
            samples_per_s=feed.samples_per_s,
        )


class Service(Watching):
    """The whole of it in one process; made by `open_service`."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        publisher: Publisher,
        finders: Finders,
        live: Live,
        *,
        explanations: ExplanationDesk,
    ) -> None:
        super().__init__(settings, engine, Desk(publisher, explanations), finders)
        self.engine = engine
        self.publisher = publisher
        self.live = live
        self.explanations = explanations
        self.url = ""
        """Base address of the HTTP listener, once there is one."""

    @property
    def participants(self) -> int:
        """Participants watched now."""
        return self.calls.participants

    def drain(self) -> None:
        """Take no new participants, and say so; those here stay."""
        super().drain()
        self.publisher.draining()


def _pull_check(pull: WhepClient) -> Check:
    return Check(pull.error is None, "media flow" if pull.error is None else pull.error.what)


def _stalled(verdict: Verdict) -> bool:
    return Reason.STALLED in verdict.reasons


@asynccontextmanager
async def taking_calls(service: Watching) -> AsyncIterator[None]:
    """Take calls and pull until the block ends; then everybody is sent away and calls are closed."""
    async with asyncio.TaskGroup() as calls:
        service.begin(calls)
        async with service.whip, asyncio.TaskGroup() as group:
            beside = [group.create_task(pull.run(), name="pull") for pull in service.pulls]
            beside.append(group.create_task(service.load.run(), name="load"))
            yield
            await service.settle()
            for task in beside:
                task.cancel()


@asynccontextmanager
async def open_service(
    settings: Settings, sinks: Iterable[Sink] = (), load: Load | None = None
) -> AsyncIterator[Service]:
    """Load, connect and take calls until the block ends; then calls are closed, the outbox is emptied.

    `load` makes the detector from its name and a device; the shipped weights when None.
    Raises StartError (AssetError, ModelError, BrokerError) when something needed is not there.
    """
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(Engine(settings.liveness, load, pictures=settings.evidence.pictures))
        landmarks = assets.path("face_landmarker", settings.paths.cache)
        finders = Finders(settings.faces, landmarks, engine.crop_px, surroundings=engine.surroundings)
        stack.callback(finders.close)
        identity = identify(settings, version("lifesign"), engine.identity)
        live = Live()
        publisher = await stack.enter_async_context(Publisher(settings, identity, [live, *sinks]))
        explanations = ExplanationDesk(await stack.enter_async_context(Pictures(open_album(settings))))
        service = Service(settings, engine, publisher, finders, live, explanations=explanations)
        async with taking_calls(service):
            yield service
