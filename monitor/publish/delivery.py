# SPDX-License-Identifier: Apache-2.0
"""Letters in, a broker that has them out: the outbox, the retained letters, the link and the embedded broker."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import structlog

from monitor.config import Settings
from monitor.errors import OutboxError
from monitor.publish.backoff import Backoff
from monitor.publish.broker import EmbeddedBroker
from monitor.publish.letter import Letter
from monitor.publish.link import Link
from monitor.publish.mqtt import Endpoint, Session, connect, tls_context
from monitor.publish.outbox import Outbox
from monitor.publish.refusals import Refusals
from monitor.publish.retained import Retained
from monitor.publish.store import Store
from monitor.publish.throttle import Throttle

__all__ = ["Check", "Delivery", "DeliveryCounts", "outbox_path"]

log = structlog.get_logger()
_FIRST_RECONNECT_S: Final = 0.2
_MAX_RETAINED: Final = 10_000
_LOOPBACK: Final = {"127.0.0.1", "localhost", "::1"}


class Check(NamedTuple):
    """One readiness check; `reason` is empty when it is met."""

    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """Figures for metrics: the first six only grow, the others are of this moment."""

    published: int = 0
    refused: int = 0
    alerts_lost: int = 0
    retained_dropped: int = 0
    connects: int = 0
    connect_failures: int = 0
    connected: bool = False
    outbox_rows: int = 0
    outbox_spilled: int = 0
    outbox_oldest_s: float = 0.0
    retained_pending: int = 0


def outbox_path(settings: Settings) -> Path:
    """Where these settings keep the outbox; one file for each node name, since one process alone may use it."""
    return settings.mqtt.outbox or settings.paths.state / f"outbox-{settings.node.name}.sqlite3"


class Delivery:
    """Everything between a letter and the broker; `will` makes the letter the broker sends if this process vanishes.

    Entering raises StartError (outbox in use or out of reach) and BrokerError (embedded broker, TLS files);
    an external broker that is away is no error: letters wait.
    """

    def __init__(self, settings: Settings, will: Callable[[], Letter]) -> None:
        mqtt = settings.mqtt
        self.broker = EmbeddedBroker(mqtt) if mqtt.broker == "embedded" else None
        self._settings = settings
        self._will = will
        self._lost = 0
        self._full: str | None = None
        self._failed: str | None = None
        self._throttle = Throttle()
        self._retained = Retained(_MAX_RETAINED)
        self._refusals = Refusals(mqtt.reconnect_max_s)
        self._outbox = Outbox(Store(outbox_path(settings)), mqtt.outbox_max_rows)
        backoff = Backoff(_FIRST_RECONNECT_S, mqtt.reconnect_max_s)
        self._link = Link(self._session, self._outbox, self._retained, backoff, self._refusals)
        self._tls: ssl.SSLContext | None = None
        self._stack = contextlib.AsyncExitStack()
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            await self._prepare(stack)
            self._running = asyncio.create_task(self._run(), name="broker link and outbox")
            self._running.add_done_callback(self._stopped)
            self._stack = stack.pop_all()
        return self

    async def _prepare(self, stack: contextlib.AsyncExitStack) -> None:
        mqtt = self._settings.mqtt
        stack.push_async_callback(self._outbox.close)
        await self._outbox.open()
        if self.broker is not None:
            stack.push_async_callback(self.broker.stop)
            await self.broker.start()
            return
        self._tls = await asyncio.to_thread(tls_context, mqtt)
        if self._tls is None and mqtt.host not in _LOOPBACK:
            log.warning("broker_plain_text", host=mqtt.host, advice="Set mqtt.tls; alerts name calls and participants.")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            await self._stop()
        finally:
            handled = await self._stack.__aexit__(kind, error, trace)
        return handled

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._link.run(), name="broker link")
            group.create_task(self._outbox.tend(), name="outbox")

    async def _stop(self) -> None:
        """End the tasks; raises what ended them before."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait((self._running,))
            if not self._running.cancelled() and (error := self._running.exception()) is not None:
                raise error

    def _stopped(self, task: "asyncio.Task[None]") -> None:
        """Say at once what should never happen: from now on alerts reach the disk, but not the broker."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = f"The broker link has stopped: {error!r}. Restart this node."
            log.error("broker_link_failed", exc_info=error)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the broker."""
        mqtt = self._settings.mqtt
        return self.broker.address(mqtt.version) if self.broker is not None else (mqtt.host, mqtt.port)

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        settings = self._settings
        if self.broker is not None:
            await self.broker.start()
        endpoint = Endpoint(*self.address, settings.mqtt, self._tls)
        client_id = settings.mqtt.client_id or f"lifesign-{settings.node.name}"
        async with connect(endpoint, client_id, self._will()) as session:
            yield session

    async def keep(self, letter: Letter) -> None:
        """Hand over an alert; one that no room is left for is counted, said, and changes readiness."""
        try:
            await self._outbox.add(letter)
        except OutboxError as error:
            self._lose(error)
        else:
            self._full = None

    def _lose(self, error: OutboxError) -> None:
        self._lost += 1
        self._full = str(error)
        if self._throttle.may("full"):
            log.error("alert_lost", code=error.code, what=error.what, advice=error.advice, lost=self._lost)

    def retain(self, letter: Letter) -> None:
        """Hand over what the broker is to retain; the newest letter of a topic wins."""
        self._retained.put(letter)

    def empty(self, topic: str) -> None:
        """Have the broker retain nothing under this topic."""
        self._retained.empty(topic)

    async def flush(self, timeout_s: float) -> bool:
        """Wait until everything is sent; False: the broker is away or the time is over. Alerts stay in the outbox."""
        return self._failed is None and await self._link.flush(timeout_s)

    async def connected(self, timeout_s: float) -> bool:
        """Wait for a connection to the broker."""
        return await self._link.connected(timeout_s)

    def checks(self) -> Mapping[str, Check]:
        """Readiness: is there a broker, does it take what it is given, can the outbox be written."""
        outbox = self._outbox.state.trouble or self._full
        reasons = {"broker": self._failed or self._link.reason, "publish": self._refusals.reason, "outbox": outbox}
        return {name: Check(reason is None, reason or "") for name, reason in reasons.items()}

    @property
    def counts(self) -> DeliveryCounts:
        """Figures for metrics."""
        state = self._outbox.state
        return DeliveryCounts(
            published=self._link.published,
            refused=self._refusals.count,
            alerts_lost=self._lost,
            retained_dropped=self._retained.dropped,
            connects=self._link.connects,
            connect_failures=self._link.failures,
            connected=self._link.reason is None,
            outbox_rows=state.rows,
            outbox_spilled=state.spilled,
            outbox_oldest_s=state.oldest_s or 0.0,
            retained_pending=self._retained.pending,
        )
