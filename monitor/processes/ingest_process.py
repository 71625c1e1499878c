# SPDX-License-Identifier: Apache-2.0
"""WHIP sessions of one share of the calls in; what is found out about them, told to the main process, out."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from monitor import assets
from monitor.capture.passes import Passes
from monitor.finders import Finders
from monitor.http import ingest_app
from monitor.liveness.worst import Worst
from monitor.metrics import Metrics, Reading
from monitor.processes.channel import Channel
from monitor.processes.engines import Engines
from monitor.processes.messages import IngestStart, Ready, Report
from monitor.processes.relay import Relay
from monitor.processes.remote_engine import Remembered, RemoteEngine
from monitor.processes.reporting import until_stopped
from monitor.readings import watching_readings
from monitor.server import listen_unix, serve
from monitor.service import Watching, taking_calls

__all__ = ["live"]

ELSEWHERE: Final = ("draining", "model")
"""What the main process or the engine process says of readiness itself."""


async def live(start: IngestStart, channel: Channel) -> None:
    """Take calls until the main process says stop or is gone; then close them. Raises StartError."""
    settings = start.settings
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(_engines(start))
        landmarks = assets.path("face_landmarker", settings.paths.cache)
        finders = Finders(settings.faces, landmarks, engine.crop_px, surroundings=engine.surroundings)
        stack.callback(finders.close)
        watching = Watching(settings, engine, Relay(channel), finders, Passes(key=start.key))
        listener = listen_unix(Path(start.path))
        stack.callback(listener.close)
        async with taking_calls(watching):
            metrics = Metrics((*watching_readings(watching), *_readings(engine)))
            async with serve(ingest_app(watching), settings.http.plain, listener):
                channel.send(Ready())
                await until_stopped(channel, lambda: _report(watching, engine, metrics), watching.meter.late)
            watching.drain()


def _engines(start: IngestStart) -> Engines:
    timeout_s, pictures = start.settings.node.answer_timeout_s, start.settings.evidence.pictures
    worst: Remembered = Worst()
    lines = [RemoteEngine(Path(path), timeout_s, pictures=pictures, worst=worst) for path in start.engines]
    return Engines(lines, start.number - 1)


def _report(watching: Watching, engine: Engines, metrics: Metrics) -> Report:
    names = {(feed.call, feed.participant) for feed in watching.calls.all_feeds()}
    checks = watching.checks()
    unmet = {name: check.reason for name, check in checks.items() if not check.ok and name not in ELSEWHERE}
    unmet |= {} if engine.connected else {"engine": "has no line to the engine process"}
    return Report(frozenset(names | watching.whip.names), unmet, metrics.families())


def _readings(engine: Engines) -> tuple[Reading, ...]:
    return (
        Reading("engine_connected", "Engine processes connected.", lambda: engine.connected),
        Reading("engine_waiting_looks", "Looks that wait for an engine process.", lambda: engine.waiting),
        Reading("engine_asked_looks_total", "Looks sent to engine processes.", lambda: engine.counts.asked),
        Reading("engine_unanswered_looks_total", "Looks without an answer.", lambda: engine.counts.unanswered),
        Reading("engine_overwritten_looks_total", "Looks that newer ones replaced.", lambda: engine.counts.overwritten),
        Reading("engine_late_looks_total", "Looks whose answer did not come in time.", lambda: engine.counts.late),
        Reading("engine_too_large_looks_total", "Looks that fit no slot of the ring.", lambda: engine.counts.too_large),
    )
