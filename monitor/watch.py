# SPDX-License-Identifier: Apache-2.0
"""Events read from MQTT in, a live table (or plain lines) of calls, verdicts and alerts out."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn

import structlog
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from monitor.config import Settings
from monitor.errors import LifesignError, UsageError
from monitor.publish.backoff import Backoff
from monitor.publish.board import Board
from monitor.publish.events import AlertEvent, CallEvent, ChallengeEvent, Event, NodeEvent, VerdictEvent, parse
from monitor.publish.mqtt import Endpoint, Received, connect, tls_context
from monitor.publish.topics import Topics
from monitor.values import AlertChange, State

__all__ = ["Watch", "watch"]

log = structlog.get_logger()
STYLES: Final = {State.CLEAR: "green", State.SUSPECT: "yellow", State.ALERT: "bold red", State.INCONCLUSIVE: "dim"}
CHANGE_STYLES: Final = {AlertChange.RAISED: "bold red", AlertChange.UPDATED: "red", AlertChange.CLEARED: "green"}
SHOWN_ALERTS: Final = 8
REFRESHES_PER_S: Final = 4
FIRST_RECONNECT_S: Final = 0.2


@dataclass
class Watch:
    """What has been read so far; `skipped` counts messages that are not ours, `reason` says why there is no link."""

    topics: Topics
    on_event: Callable[[Event], None] | None = None
    board: Board = field(default_factory=Board)
    events: int = 0
    skipped: int = 0
    reason: str | None = "connecting"
    subscribed: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, message: Received) -> Event | None:
        """Take in a message; returns its event, or None for an emptied topic and for what is not ours."""
        address = self.topics.parse(message.topic)
        if address is None:
            self.skipped += 1
            return None
        if not message.payload:
            self.board.forget(address)
            return None
        try:
            event = parse(message.payload)
        except ValueError:
            self.skipped += 1
            return None
        self._keep(event)
        return event

    def _keep(self, event: Event) -> None:
        self.events += 1
        self.board.apply(event)
        if self.on_event is not None:
            self.on_event(event)


async def watch(
    settings: Settings,
    console: Console,
    stop: asyncio.Event,
    *,
    on_event: Callable[[Event], None] | None = None,
    subscribed: asyncio.Event | None = None,
) -> Watch:
    """Show what the broker carries until `stop` is set; reconnects as long as it takes.

    `subscribed` is set once no later alert can be missed; `on_event` is called with every event.
    Raises UsageError when the settings name no broker or no port, BrokerError when the TLS files cannot be used.
    """
    if settings.mqtt.broker == "none":
        raise UsageError("There is no broker to watch.", "Set mqtt.broker to embedded or external.")
    if settings.mqtt.broker == "embedded" and settings.mqtt.port == 0:
        raise UsageError("The embedded broker takes any free port, so it cannot be found.", "Set mqtt.port.")
    endpoint = await asyncio.to_thread(_endpoint, settings)
    seen = Watch(Topics(settings.mqtt.root), on_event, subscribed=subscribed or asyncio.Event())
    show = _table if console.is_terminal else _lines
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(show(seen, endpoint, console), name="watch")
        await stop.wait()
        reading.cancel()
    return seen


def _endpoint(settings: Settings) -> Endpoint:
    """The broker of the settings; an embedded one listens on loopback, for MQTT 3.1.1 one port higher."""
    mqtt = settings.mqtt
    if mqtt.broker == "external":
        return Endpoint(mqtt.host, mqtt.port, mqtt, tls_context(mqtt))
    return Endpoint("127.0.0.1", mqtt.port + (mqtt.version != "5"), mqtt)


async def _read(seen: Watch, endpoint: Endpoint, show: Callable[[Received, Event | None], None]) -> NoReturn:
    """Read and reconnect until cancelled."""
    backoff = Backoff(FIRST_RECONNECT_S, endpoint.settings.reconnect_max_s)
    client_id = f"lifesign-watch-{secrets.token_hex(4)}"
    while True:
        try:
            async with connect(endpoint, client_id) as session:
                await session.subscribe(seen.topics.everything())
                seen.reason = None
                seen.subscribed.set()
                backoff.reset()
                async for message in session.messages():
                    show(message, seen.take(message))
        except LifesignError as error:
            seen.reason = str(error)
            log.warning("broker_away", code=error.code, what=error.what, advice=error.advice)
        await asyncio.sleep(backoff.next_s())


async def _lines(seen: Watch, endpoint: Endpoint, console: Console) -> None:
    """One line for each event that says something new."""
    said: dict[str, str] = {}

    def show(message: Received, event: Event | None) -> None:
        if event is None:
            said.pop(message.topic, None)
            return
        line = _plain(_line(event))
        if said.get(message.topic) != line:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        if not isinstance(event, AlertEvent):
            said[message.topic] = line

    await _read(seen, endpoint, show)


def _line(event: Event) -> str:
    match event:
        case NodeEvent():
            return f"node {event.source} {event.data.status}"
        case CallEvent():
            people = ", ".join(media.participant for media in event.data.participants) or "nobody"
            return f"call {event.data.call} {people}"
        case VerdictEvent():
            return f"verdict {event.subject} {event.data.state} {_because(event)}".rstrip()
        case AlertEvent():
            what = f"alert {event.data.change} {event.subject} score {_score(event.data.score)}"
            return f"{what} {_kinds(event)}: {' '.join(event.data.evidence)}"
        case ChallengeEvent():
            data = event.data
            return f"challenge {data.kind} {event.subject} {data.state} {data.sentence}".rstrip()


async def _table(seen: Watch, endpoint: Endpoint, console: Console) -> None:
    """A table that repaints itself."""
    with Live(console=console, refresh_per_second=REFRESHES_PER_S, get_renderable=lambda: _render(seen)):
        await _read(seen, endpoint, lambda *_: None)


def _render(seen: Watch) -> Group:
    status = Text(seen.reason or _nodes(seen), style="red" if seen.reason else "dim")
    return Group(status, _people(seen), _alerts(seen))


def _nodes(seen: Watch) -> str:
    nodes = ", ".join(f"{name} {event.data.status}" for name, event in sorted(seen.board.nodes.items()))
    skipped = f", {seen.skipped} foreign messages skipped" if seen.skipped else ""
    return f"{nodes or 'no node yet'}; {seen.events} events{skipped}"


def _people(seen: Watch) -> Table:
    table = Table("call", "participant", "state", "score", "since", "because", expand=True, title="participants")
    for call in seen.board.all_calls():
        for participant in seen.board.participants(call):
            table.add_row(call, participant, *_cells(seen.board.verdicts.get((call, participant))))
    return table


def _cells(event: VerdictEvent | None) -> tuple[Text | str, ...]:
    if event is None:
        return (Text("waiting", style="dim"), "", "", "")
    data = event.data
    state = Text(data.state, style=STYLES[data.state])
    return (state, _score(data.score), f"{data.since_s:.0f} s", Text(_plain(_because(event))))


def _because(event: VerdictEvent) -> str:
    """Why nothing can be said, else what the worst face shows."""
    data = event.data
    if data.state is State.INCONCLUSIVE:
        return ", ".join(reason.replace("_", " ") for reason in data.reasons)
    if data.state is State.CLEAR:
        return ""
    return " ".join(face.evidence[0] for face in data.faces if face.state is data.state and face.evidence)


def _alerts(seen: Watch) -> Table:
    table = Table("alert", "call", "participant", "score", "kinds", "evidence", expand=True, title="alerts")
    for event in list(seen.board.alerts.values())[-SHOWN_ALERTS:]:
        data = event.data
        change = Text(data.change, style=CHANGE_STYLES[data.change])
        evidence = _plain(" ".join(data.evidence))
        table.add_row(change, data.call, data.participant, _score(data.score), _kinds(event), Text(evidence))
    return table


def _plain(text: str) -> str:
    """Words from the wire without what would move the cursor or turn the text around."""
    return "".join(character if character.isprintable() else " " for character in text)


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.2f}"


def _kinds(event: AlertEvent) -> str:
    kinds = sorted(event.data.kinds.items(), key=lambda item: -item[1])
    return ", ".join(f"{kind.replace('_', ' ')} {weight:.0%}" for kind, weight in kinds)
