# SPDX-License-Identifier: Apache-2.0
"""`lifesign watch` against a real broker: verdicts, alerts, garbage, and a broker that goes away."""

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from monitor.config import Settings
from monitor.errors import UsageError
from monitor.publish.events import Event, ParticipantMedia
from monitor.publish.identity import identify
from monitor.publish.mqtt import Received
from monitor.publish.publisher import Publisher
from monitor.publish.topics import Topics
from monitor.values import Alert, AlertChange, AttackKind, State, TrackVerdict, Verdict
from monitor.watch import Watch, watch
from tests.fakes.brokers import Mosquitto, until

ALERTS = "lifesign/v1/calls/call-1/alerts"
SENTENCE = "The [bold]boundary[/bold] of the face \x1b[2J moves."


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A mosquitto that keeps its sessions."""
    with Mosquitto(tmp_path / "broker") as running:
        yield running


def settings(tmp_path: Path, port: int, **mqtt: object) -> Settings:
    """Settings of the watched node and of the watcher."""
    link = {"broker": "external", "port": port, "reconnect_max_s": 0.3, **mqtt}
    return Settings(node={"name": "node-1", "drain_s": 2.0}, mqtt=link, paths={"state": tmp_path / "state"})


def verdict(state: State = State.ALERT) -> Verdict:
    """Ann, with one face."""
    face = TrackVerdict(1, state, 0.9, 3.0, sentences=(SENTENCE,))
    return Verdict("call-1", "ann", 5.0, state, 0.9, 3.0, (), (face,))


def alert(change: AlertChange = AlertChange.RAISED) -> Alert:
    """An alert on Ann."""
    return Alert("a1", change, "call-1", "ann", 1, 5.0, 5.0, 0.9, {AttackKind.FACE_SWAP: 1.0}, (SENTENCE,), {})


class Watching:
    """A running watch and what it printed."""

    def __init__(self, settings: Settings, *, terminal: bool) -> None:
        self.text = io.StringIO()
        self.events: list[Event] = []
        self.subscribed, self.stop = asyncio.Event(), asyncio.Event()
        console = Console(file=self.text, force_terminal=terminal, width=140, height=60)
        work = watch(settings, console, self.stop, on_event=self.events.append, subscribed=self.subscribed)
        self.task = asyncio.create_task(work)

    async def end(self) -> Watch:
        """Stop it, and return what it saw."""
        self.stop.set()
        async with asyncio.timeout(5):
            return await self.task


async def test_plain_lines_in_a_pipe(broker: Mosquitto, tmp_path: Path) -> None:
    """In a pipe each change is one line; a verdict that says nothing new is not repeated; alerts always are."""
    chosen = settings(tmp_path, broker.port)
    watching = Watching(chosen, terminal=False)
    await asyncio.wait_for(watching.subscribed.wait(), 5)
    async with Publisher(chosen, identify(chosen, "0")) as publisher:
        publisher.call_state("call-1", [ParticipantMedia(participant="ann")])
        for _ in range(3):
            await publisher.verdict(verdict())
            assert await publisher.flush(5)
        await publisher.alert(alert())
        await publisher.alert(alert(AlertChange.CLEARED))
        await until(lambda: watching.text.getvalue().count("\nalert") == 2)
    seen = await watching.end()
    lines = watching.text.getvalue().splitlines()
    assert lines[0] == "node node-1 online"
    assert lines.count("call call-1 ann") == 1
    assert len([line for line in lines if line.startswith("verdict call-1/ann alert")]) == 1
    assert [line.split(":")[0] for line in lines if line.startswith("alert")] == [
        "alert raised call-1/ann score 0.90 face swap 100%",
        "alert cleared call-1/ann score 0.90 face swap 100%",
    ]
    assert "\x1b" not in watching.text.getvalue()
    assert seen.skipped == 0


async def test_live_table_on_a_terminal(broker: Mosquitto, tmp_path: Path) -> None:
    """On a terminal the table shows participants and alerts; words from the wire are never markup."""
    chosen = settings(tmp_path, broker.port)
    watching = Watching(chosen, terminal=True)
    await asyncio.wait_for(watching.subscribed.wait(), 5)
    async with Publisher(chosen, identify(chosen, "0")) as publisher:
        publisher.call_state("call-1", [ParticipantMedia(participant="ann"), ParticipantMedia(participant="bob")])
        await publisher.verdict(verdict())
        await publisher.alert(alert())
        await until(lambda: len(watching.events) >= 4)
        seen = await watching.end()
    shown = watching.text.getvalue()
    for words in ("participants", "ann", "bob", "waiting", "0.90", "raised", "face swap 100%", "[bold]boundary[/bold]"):
        assert words in shown
    assert "\x1b[2J" not in shown
    assert seen.board.participants("call-1") == ("ann", "bob")


async def test_garbage_is_skipped_and_counted(broker: Mosquitto, tmp_path: Path) -> None:
    """Whatever else is published under the root neither ends the watch nor hides what follows."""
    watching = Watching(settings(tmp_path, broker.port), terminal=False)
    await asyncio.wait_for(watching.subscribed.wait(), 5)
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for payload in (b"\xff\xfe", b"{", b"null", b'{"type":"lifesign.alert.v9"}', b"[" * 100_000, b"x" * 200_000):
            await client.publish(ALERTS, payload, qos=1)
        await client.publish("lifesign/v1/calls/call-1/other", b"{}", qos=1)
        await client.publish(ALERTS, b"", qos=1)
    chosen = settings(tmp_path, broker.port)
    async with Publisher(chosen, identify(chosen, "0")) as publisher:
        await publisher.alert(alert())
        await until(lambda: any(event.type == "lifesign.alert.v1" for event in watching.events))
    seen = await watching.end()
    assert seen.skipped == 6
    assert "alert raised call-1/ann" in watching.text.getvalue()


async def test_a_broker_that_comes_later_and_goes_away(tmp_path: Path) -> None:
    """The watch waits for a broker, says why it has none, and subscribes again after the broker was restarted."""
    broker = Mosquitto(tmp_path / "broker")
    watching = Watching(settings(tmp_path, broker.port), terminal=False)
    await asyncio.sleep(0.3)
    assert not watching.subscribed.is_set()
    chosen = settings(tmp_path, broker.port)
    with broker:
        await asyncio.wait_for(watching.subscribed.wait(), 10)
        async with Publisher(chosen, identify(chosen, "0")):
            await until(lambda: len(watching.events) == 1)
            await asyncio.to_thread(broker.kill)
            await asyncio.sleep(0.2)
            await asyncio.to_thread(broker.start)
            await until(lambda: len(watching.events) >= 2)
        await watching.end()


@pytest.mark.parametrize(("mqtt", "advice"), [({"broker": "none"}, r"mqtt\.broker"), ({"port": 0}, r"mqtt\.port")])
async def test_nothing_to_watch_is_a_usage_error(mqtt: dict[str, object], advice: str) -> None:
    """Without a broker, or without its port, the message says what to set."""
    with pytest.raises(UsageError, match=advice):
        await watch(Settings(mqtt=mqtt), Console(file=io.StringIO()), asyncio.Event())


@given(
    topic=st.one_of(st.just(ALERTS), st.text(max_size=40), st.just("lifesign/v1/nodes/n/status")),
    payload=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)),
)
def test_nothing_on_the_wire_can_raise(topic: str, payload: bytes) -> None:
    """Any topic and payload is an event, an emptied topic, or counted as skipped."""
    seen = Watch(Topics("lifesign/v1"))
    event = seen.take(Received(topic, payload, retained=False))
    assert (event is not None) + seen.skipped + (event is None and not seen.skipped) == 1
