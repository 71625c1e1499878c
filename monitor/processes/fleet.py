# SPDX-License-Identifier: Apache-2.0
"""Settings in; engine processes, ingest processes, and the publisher in front of them out."""

import secrets
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest

from monitor.config import Settings
from monitor.health import Check
from monitor.metrics import Metrics, Reading
from monitor.outlet import Desk
from monitor.processes.child import Child
from monitor.processes.crew import Crew
from monitor.processes.forward import Forward
from monitor.processes.gathering import Gathering
from monitor.processes.messages import EngineStart, IngestStart, Ready, Report
from monitor.processes.mirror import Told
from monitor.processes.placement import Placement, shares
from monitor.processes.telling import Telling
from monitor.publish.explanations.album import open_album
from monitor.publish.explanations.desk import ExplanationDesk
from monitor.publish.explanations.pictures import Pictures
from monitor.publish.identity import identify
from monitor.publish.live import Live
from monitor.publish.publisher import Publisher, Sink
from monitor.readings import publish_readings

if TYPE_CHECKING:
    from monitor.liveness.detector import Load

__all__ = ["Fleet", "open_fleet"]

CAPACITY: Final = "capacity"
KEY_BYTES: Final = 32
LAST_WORDS_S: Final = 5.0
"""What a process may take beyond `node.drain_s` until it has ended."""


class Fleet:
    """The processes of one service, kept alive; what they find out is published here. Made by `open_fleet`."""

    def __init__(self, settings: Settings, folder: Path, load: "Load | None" = None) -> None:
        self.settings = settings
        self.url = ""
        """Base address of the HTTP listener, once there is one."""
        self.publisher: Publisher
        self.live = Live()
        self.explanations: ExplanationDesk
        self._key = secrets.token_bytes(KEY_BYTES)
        self._folder = folder
        self._engine_paths = tuple(str(folder / f"engine-{number}") for number in range(settings.node.engines))
        count = settings.node.processes
        self._pins = shares((pull.call for pull in settings.pulls), count)
        self.placement = Placement(count, self._pins)
        self.forward = Forward(settings, self.placement, [folder / f"ingest-{each}" for each in range(1, count + 1)])
        self.engines = [self._engine(number, load) for number in range(settings.node.engines)]
        self.ingests = [self._ingest(process) for process in range(count)]

    @property
    def children(self) -> tuple[Child, ...]:
        """All processes."""
        return (*self.engines, *self.ingests)

    @property
    def participants(self) -> int:
        """Participants watched now."""
        return self.placement.participants

    def checks(self) -> Mapping[str, Check]:
        """Readiness: every process is there, its own checks are met, there is room, what is published arrives."""
        up = {child.name: _check(child.up, "is up", "is being started again") for child in self.children}
        unmet = {
            f"{child.name} {name}": Check(ok=False, reason=reason)
            for child in self.children
            for name, reason in child.report.unmet.items()
            if name != CAPACITY
        }
        open_ = _check(not self.forward.draining, "takes calls", "shutting down")
        ways_out = {name: Check(*check) for name, check in self.publisher.checks().items()}
        return {CAPACITY: self._capacity(), "draining": open_} | up | unmet | ways_out

    def _capacity(self) -> Check:
        """One process that has no time leaves room in the others."""
        if self.forward.full:
            return Check(ok=False, reason="all places for participants are taken")
        busy = [child.report.unmet.get(CAPACITY) for child in self.ingests]
        return Check(ok=True, reason="room for participants") if None in busy else Check(ok=False, reason=str(busy[0]))

    def drain(self) -> None:
        """Take no new participants, and say so; those here stay."""
        self.forward.draining = True
        self.publisher.draining()

    def metrics(self) -> bytes:
        """The metrics of all processes in Prometheus text format; those of a child carry its name as `process`."""
        return self._metrics()

    def publish(self, publisher: Publisher, explanations: ExplanationDesk) -> None:
        """Tell by these from now on."""
        self.publisher, self.explanations = publisher, explanations
        self._telling = Telling(Desk(publisher, explanations), self.settings.node.processes)
        own = Metrics((*publish_readings(self.publisher, self.explanations, self.live), *self._readings()))
        registry = CollectorRegistry()
        registry.register(Gathering(own.families, lambda: {each.name: each.report.families for each in self.children}))
        self._metrics = partial(generate_latest, registry)

    def _readings(self) -> Iterable[Reading]:
        yield Reading(
            "process_restarts_total",
            "Processes started again, by what they are.",
            lambda: {
                kind: sum(child.restarts for child in self.children if child.kind == kind)
                for kind in ("engine", "ingest")
            },
            "kind",
        )
        yield Reading(
            "forward_refused_total",
            "Publishers refused before they reached a process.",
            lambda: dict(self.forward.refused_counts),
            "code",
        )

    def _engine(self, number: int, load: "Load | None") -> Child:
        start = EngineStart(self.settings, self._engine_paths[number], load, number)
        return Child("engine", start.name, start, _nothing, _nothing)

    def _ingest(self, process: int) -> Child:
        name = f"ingest-{process + 1}"
        pulls = tuple(pull for pull in self.settings.pulls if self._pins[pull.call] == process)
        settings = self.settings.model_copy(update={"pulls": pulls})
        start = IngestStart(settings, process + 1, str(self._folder / name), self._engine_paths, self._key)
        return Child("ingest", name, start, partial(self._hear, process), partial(self._lost, process))

    async def _hear(self, process: int, message: object) -> None:
        if isinstance(message, Ready):
            self.placement.began(process)
        elif isinstance(message, Report):
            self.placement.report(process, message.names)
        elif isinstance(message, Told):
            await self._telling.tell(process, message)

    async def _lost(self, process: int) -> None:
        """A call begins anew in another process once it has been told that it ended, not before."""
        self.placement.down(process)
        await self._telling.end(process)
        self.placement.lost(process)


def _check(ok: bool, good: str, bad: str) -> Check:  # noqa: FBT001
    return Check(ok, good if ok else bad)


async def _nothing(*_: object) -> None:
    pass


@asynccontextmanager
async def open_fleet(
    settings: Settings, sinks: Iterable[Sink] = (), load: "Load | None" = None
) -> AsyncIterator[Fleet]:
    """Start the processes and take calls until the block ends; then calls are closed, the outbox is emptied.

    `load` must be importable by name: the engine process calls it. Raises StartError as `open_service` does, and
    ProcessError for a process that ends before it is ready.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lifesign-")))
        fleet = Fleet(settings, folder, load)
        stack.push_async_callback(fleet.forward.close)
        limit_s = settings.node.drain_s + LAST_WORDS_S
        async with Crew(fleet.engines, limit_s):
            ready = fleet.engines[0].ready
            assert ready is not None
            assert ready.welcome is not None
            identity = identify(settings, version("lifesign"), ready.welcome.model)
            publisher = await stack.enter_async_context(Publisher(settings, identity, [fleet.live, *sinks]))
            fleet.publish(publisher, ExplanationDesk(await stack.enter_async_context(Pictures(open_album(settings)))))
            async with Crew(fleet.ingests, limit_s):
                yield fleet
