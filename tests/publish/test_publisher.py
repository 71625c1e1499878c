# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: SIM117 - the subscriber outlives the publisher
"""What a consumer sees at a real broker: states retained and emptied, refusals told, sinks, and what breaks inside."""

import asyncio
import json
import time
from collections.abc import Callable

import aiomqtt
import pytest
from blockbuster import BlockingError, blockbuster_ctx

from monitor.config import Settings
from monitor.publish.backoff import Backoff
from monitor.publish.events import Event, ParticipantMedia, parse
from monitor.publish.identity import Identity
from monitor.publish.link import Link
from monitor.publish.publisher import Publisher
from monitor.values import Challenge, ChallengeKind, ChallengeState
from tests.fakes.brokers import Mosquitto, Proxy, hear, until

from .conftest import make_alert, make_verdict

SettingsFor = Callable[..., Settings]
ANN, BOB = ParticipantMedia(participant="ann"), ParticipantMedia(participant="bob")


async def test_a_call_from_join_to_end(broker: Mosquitto, settings_for: SettingsFor, identity: Identity) -> None:
    """A late subscriber finds what is retained; when the call ends every topic is emptied and the node says offline."""
    async with Publisher(settings_for(broker.port), identity) as publisher:
        publisher.call_state("call-1", [ANN, BOB])
        await publisher.verdict(make_verdict("ann"))
        await publisher.verdict(make_verdict("bob"))
        await publisher.alert(make_alert())
        assert await publisher.flush(5)
        async with hear(broker.port) as late:
            await until(lambda: len(late.messages) == 4)
            topics = {str(message.topic) for message in late.messages}
            assert topics == {
                "lifesign/v1/nodes/node-1/status",
                "lifesign/v1/calls/call-1/state",
                "lifesign/v1/calls/call-1/participants/ann/verdict",
                "lifesign/v1/calls/call-1/participants/bob/verdict",
            }
            assert all(message.retain for message in late.messages)
            publisher.participant_left("call-1", "bob")
            await publisher.verdict(make_verdict("bob"))
            await until(lambda: b"" in late.payloads("bob/verdict"))
            publisher.call_ended("call-1")
            await until(lambda: b"" in late.payloads("call-1/state") and b"" in late.payloads("ann/verdict"))
            publisher.draining()
            await until(lambda: b'"draining"' in late.payloads("status")[-1])
    async with hear(broker.port) as after:
        await until(lambda: bool(after.messages))
        await asyncio.sleep(0.1)
    (status,) = after.messages
    assert parse(bytes(status.payload)).data.status == "offline"


async def test_a_challenge_reaches_the_broker_also_when_it_was_away(
    broker: Mosquitto, settings_for: SettingsFor, identity: Identity
) -> None:
    """A verdict on a challenge is kept on disk until somebody takes it, and is not retained."""
    challenge = Challenge("one", "call-1", "ann", ChallengeKind.COLOURS, ChallengeState.PASSED, 12.0, "It passed.")
    async with Publisher(settings_for(), identity) as publisher:
        await publisher.challenge(challenge)
        assert publisher.counts.outbox_rows == 1
    async with hear(broker.port) as hearing:
        async with Publisher(settings_for(broker.port), identity):
            await until(lambda: bool(hearing.payloads("ann/challenge")))
        (letter,) = [message for message in hearing.messages if str(message.topic).endswith("/challenge")]
    assert parse(bytes(letter.payload)).data.state is ChallengeState.PASSED
    assert not letter.retain


async def test_alert_carries_expiry_and_content_type(
    broker: Mosquitto, settings_for: SettingsFor, identity: Identity
) -> None:
    """Alerts expire as configured, retained states after a minute, the node's status never."""
    async with hear(broker.port) as hearing:
        async with Publisher(settings_for(broker.port, alert_expiry_s=600), identity) as publisher:
            await publisher.verdict(make_verdict())
            await publisher.alert(make_alert())
            await until(lambda: len(hearing.messages) == 3)
        expiries = {
            str(message.topic).rsplit("/", 1)[1]: getattr(message.properties, "MessageExpiryInterval", None)
            for message in hearing.messages[:3]
        }
    assert expiries == {"status": None, "verdict": 60, "alerts": 600}
    assert all(m.properties.ContentType == "application/cloudevents+json" for m in hearing.messages[:3])


async def test_full_outbox_is_not_ready_and_counts(settings_for: SettingsFor, identity: Identity) -> None:
    """With the broker away and the outbox full, the loss is counted and readiness says what to do; nobody crashes."""
    settings = settings_for(port=1, outbox_max_rows=10)
    async with Publisher(settings, identity) as publisher:
        for n in range(12):
            await publisher.alert(make_alert(alert=f"a{n}"))
        assert publisher.counts.alerts_lost == 2
        assert "outbox_max_rows" in publisher.checks()["outbox"].reason


async def test_version_3_1_1(broker: Mosquitto, settings_for: SettingsFor, identity: Identity) -> None:
    """The same events arrive over MQTT 3.1.1."""
    async with hear(broker.port) as hearing:
        async with Publisher(settings_for(broker.port, version="3.1.1"), identity) as publisher:
            await publisher.verdict(make_verdict())
            await publisher.alert(make_alert())
            await until(lambda: len(hearing.messages) == 3)
    assert {parse(bytes(m.payload)).type for m in hearing.messages[:3]} == {
        "lifesign.node.v1",
        "lifesign.verdict.v1",
        "lifesign.alert.v1",
    }


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_embedded_broker(settings_for: SettingsFor, identity: Identity, version: str) -> None:
    """The embedded broker delivers, keeps what is retained for late subscribers, and is restarted when it dies."""
    protocol = aiomqtt.ProtocolVersion.V5 if version == "5" else aiomqtt.ProtocolVersion.V311
    settings = settings_for(port=0, broker="embedded", version=version)
    async with Publisher(settings, identity) as publisher:
        assert publisher.address is not None
        port = publisher.address[1]
        await publisher.verdict(make_verdict())
        assert await publisher.flush(5)
        async with hear(port, protocol=protocol) as hearing:
            await until(lambda: len(hearing.messages) >= 2)
            await publisher.alert(make_alert())
            await until(lambda: len(hearing.payloads("alerts")) == 1)
        publisher._delivery.broker._broker._process.kill()
        await until(lambda: publisher.counts.connect_failures >= 1)
        await until(lambda: publisher.checks()["broker"].ok)
        assert await publisher.flush(5)
        async with hear(port, protocol=protocol) as again:
            await until(lambda: len(again.messages) >= 2)


async def test_without_a_broker_the_sinks_hear_everything(settings_for: SettingsFor, identity: Identity) -> None:
    """Broker none publishes to the sinks alone, keeps no file, and a failing sink does not silence the next one."""
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise RuntimeError(event.type)

    settings = settings_for(broker="none")
    async with Publisher(settings, identity, [broken, heard.append]) as publisher:
        publisher.call_state("call-1", [ANN])
        await publisher.verdict(make_verdict())
        await publisher.alert(make_alert())
        publisher.call_ended("call-1")
        assert await publisher.flush(0)
        assert publisher.checks() == {}
    kinds = [(event.type.split(".")[1], getattr(event.data, "status", "")) for event in heard]
    assert kinds == [
        ("node", "online"),
        ("call", "live"),
        ("verdict", ""),
        ("alert", ""),
        ("call", "ended"),
        ("node", "offline"),
    ]
    assert publisher.sink_errors == 6
    assert not settings.paths.state.exists()
    assert all(json.loads(event.payload())["specversion"] == "1.0" for event in heard)


async def test_slow_consumers_of_verdicts_get_the_newest(
    broker: Mosquitto, settings_for: SettingsFor, identity: Identity
) -> None:
    """Verdicts made while the broker is away are not queued up: the newest arrives, alone."""
    async with Publisher(settings_for(port=1), identity) as away:
        for n in range(50):
            await away.verdict(make_verdict(score=n / 100))
        assert away.counts.retained_pending == 2
    async with Proxy(broker.port) as proxy, hear(broker.port) as hearing:
        async with Publisher(settings_for(proxy.port), identity) as publisher:
            assert await publisher.connected(5)
            await proxy.cut()
            for n in range(50):
                await publisher.verdict(make_verdict(score=n / 100))
            await until(lambda: bool(hearing.payloads("verdict")))
            assert await publisher.flush(5)
            newest = parse(hearing.payloads("verdict")[-1])
            assert newest.data.score == 0.49
            assert len(hearing.payloads("verdict")) < 10


async def test_a_crash_inside_ends_cleanly(settings_for: SettingsFor, identity: Identity) -> None:
    """An error of the caller passes through unchanged, and the outbox can be opened again at once."""
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is under test
            async with Publisher(settings_for(port=1), identity) as publisher:
                await publisher.alert(make_alert())
                raise ZeroDivisionError
    assert publisher.counts.outbox_rows == 2


async def test_a_link_that_breaks_inside_is_told_and_alerts_are_kept(
    settings_for: SettingsFor, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect in the link changes readiness, alerts still reach the disk, and leaving raises the defect."""

    async def broken(self: Link) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Link, "run", broken)
    with pytest.raises(ExceptionGroup, match="TaskGroup"):  # noqa: PT012 - the block is what is under test
        async with Publisher(settings_for(port=1), identity) as publisher:
            await until(lambda: "stopped" in publisher.checks()["broker"].reason)
            await publisher.alert(make_alert())
            assert publisher.counts.outbox_rows == 1


async def test_the_event_loop_is_never_blocked(
    broker: Mosquitto, settings_for: SettingsFor, identity: Identity
) -> None:
    """Connecting and the disk happen beside the loop; a jitter that sleeps shows that it would be noticed."""
    with blockbuster_ctx("monitor.publish"):
        with pytest.raises(BlockingError):
            Backoff(1.0, 1.0, uniform=lambda low, high: time.sleep(0.001) or low).next_s()
        async with Publisher(settings_for(broker.port), identity) as publisher:
            assert await publisher.connected(5)
            await publisher.verdict(make_verdict())
            await publisher.alert(make_alert())
            assert await publisher.flush(5)
        async with Publisher(settings_for(port=0, broker="embedded"), identity) as publisher:
            assert await publisher.connected(10)
