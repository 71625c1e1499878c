# SPDX-License-Identifier: Apache-2.0
"""Settings in, the running process out: start, serve, drain on the first signal, stop on the second."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

import structlog
from fastapi import FastAPI
from pydantic import SecretStr

from monitor import logs
from monitor.capture.tokens import kept_token
from monitor.config import Settings
from monitor.errors import StartError
from monitor.http import fleet_app, http_app
from monitor.metrics import watch_loop
from monitor.processes.fleet import Fleet, open_fleet
from monitor.publish.events import Event
from monitor.server import Listener, listen, serve
from monitor.settings_file import secrets

if TYPE_CHECKING:  # the main process of several neither watches nor judges
    from monitor.liveness.detector import Load
    from monitor.service import Service

__all__ = ["print_event", "run", "serving", "serving_processes", "with_token"]

log = structlog.get_logger()
STOPPED_AT_ONCE: Final = 130
"""Exit code after a second signal, as a shell gives it for SIGINT."""


async def run(settings: Settings, *, json: bool = False) -> int:
    """Serve until SIGTERM or SIGINT, then drain and return 0; raises StartError when it cannot start."""
    settings = with_token(settings)
    logs.configure(settings.log, secrets(settings))
    async with AsyncExitStack() as stack:
        start = serving_processes if settings.node.processes else serving
        service: Service | Fleet = await start(stack, settings, json=json)
        with _signals() as stop:
            await stop.wait()
            log.info("draining", participants=service.participants, limit_s=settings.node.drain_s)
            service.drain()
            await _finish(stack, settings.node.drain_s)
    log.info("stopped")
    return 0


async def serving(
    stack: AsyncExitStack, settings: Settings, *, json: bool = False, load: "Load | None" = None
) -> "Service":
    """Start everything on `stack`; `service.url` is the base address that answers."""
    from monitor.service import open_service  # noqa: PLC0415 - as above

    listener = listen(settings.http)
    stack.callback(listener.close)
    service = await stack.enter_async_context(open_service(settings, [print_event] if json else [], load))
    _watch_loop(stack, watch_loop(late=service.meter.late))
    await _answer(stack, service, http_app(service), listener)
    return service


async def serving_processes(
    stack: AsyncExitStack, settings: Settings, *, json: bool = False, load: "Load | None" = None
) -> Fleet:
    """Start everything on `stack`, the work in `node.processes` processes and one that judges."""
    listener = listen(settings.http)
    stack.callback(listener.close)
    fleet = await stack.enter_async_context(open_fleet(settings, [print_event] if json else [], load))
    _watch_loop(stack, watch_loop())
    await _answer(stack, fleet, fleet_app(fleet), listener)
    return fleet


def _watch_loop(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    stack.callback(asyncio.create_task(work, name="event loop lag").cancel)


async def _answer(stack: AsyncExitStack, service: "Service | Fleet", app: FastAPI, listener: Listener) -> None:
    service.url = await stack.enter_async_context(serve(app, service.settings.http, listener))
    # Open event streams would hold the listener's shutdown.
    stack.callback(service.live.close)
    log.info("serving", url=service.url, whip=f"{service.url}/whip/CALL/PARTICIPANT", broker=service.publisher.address)


def print_event(event: Event) -> None:
    """Sink: one JSON line on stdout per event."""
    sys.stdout.write(event.model_dump_json() + "\n")
    sys.stdout.flush()


def with_token(settings: Settings) -> Settings:
    """Settings that hold at least one bearer token; a made one is kept in the state folder and told where."""
    if settings.whip.tokens:
        return settings
    try:
        token: SecretStr = kept_token(settings.paths.state)
    except OSError as error:
        raise StartError(
            f"No token is set and none can be kept in {settings.paths.state}: {error.strerror}.",
            "Set LIFESIGN_WHIP__TOKENS, or make paths.state writable.",
        ) from error
    log.info("made_token_in_use", file=str(settings.paths.state / "whip-token"))
    return settings.model_copy(update={"whip": settings.whip.model_copy(update={"tokens": (token,)})})


async def _finish(stack: AsyncExitStack, limit_s: float) -> None:
    """Unwind within the limit; the outbox keeps on disk what could not be sent."""
    try:
        async with asyncio.timeout(2 * limit_s):
            await stack.aclose()
    except TimeoutError:
        log.warning("drain_timed_out", limit_s=limit_s)


@contextmanager
def _signals() -> Iterator[asyncio.Event]:
    """Set the event on the first SIGTERM or SIGINT; the second ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def received() -> None:
        if stop.is_set():
            os._exit(STOPPED_AT_ONCE)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
