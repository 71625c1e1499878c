# SPDX-License-Identifier: Apache-2.0
"""An order to judge in; an engine behind a Unix socket until the main process says stop out."""

from pathlib import Path

from monitor.liveness.devices import device_in_turn
from monitor.liveness.engine import Engine
from monitor.metrics import Metrics, Reading
from monitor.processes.channel import Channel
from monitor.processes.engine_server import EngineServer
from monitor.processes.messages import EngineStart, Ready, Report
from monitor.processes.reporting import until_stopped
from monitor.readings import engine_readings

__all__ = ["live"]


async def live(start: EngineStart, channel: Channel) -> None:
    """Judge until the main process says stop or is gone. Raises StartError when the engine cannot start."""
    settings = start.settings.liveness
    if start.settings.node.engines > 1:
        settings = settings.model_copy(update={"device": device_in_turn(settings.device, start.number)})
    async with (
        Engine(settings, start.load) as engine,
        EngineServer(engine, Path(start.path)) as server,
    ):
        metrics = Metrics((*engine_readings(engine), *_readings(server)))

        def report() -> Report:
            unmet = {} if engine.healthy else {"model": "the last batch failed; see the log"}
            return Report(unmet=unmet, families=metrics.families())

        channel.send(Ready(server.welcome))
        await until_stopped(channel, report)


def _readings(server: EngineServer) -> tuple[Reading, ...]:
    return (
        Reading("engine_clients", "Ingest processes connected to the engine.", lambda: server.clients),
        Reading("engine_torn_looks_total", "Looks overwritten before the engine read them.", lambda: server.torn),
        Reading("engine_failed_looks_total", "Looks that the engine could not judge.", lambda: server.failed),
    )
