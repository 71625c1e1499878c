# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: SIM117 - the subscriber outlives the publisher
"""The publisher while the broker is away, refuses or dies: alerts wait and none is lost."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from monitor.config import Settings
from monitor.publish.events import ParticipantMedia, parse
from monitor.publish.identity import Identity
from monitor.publish.publisher import Publisher
from monitor.publish.store import Store
from monitor.values import AlertChange
from tests.fakes.brokers import Mosquitto, Proxy, hear, until

from .conftest import make_alert, make_verdict

SettingsFor = Callable[..., Settings]
ANN, BOB = ParticipantMedia(participant="ann"), ParticipantMedia(participant="bob")


async def test_alerts_survive_a_broker_that_dies_and_returns(
    tmp_path: Path, settings_for: SettingsFor, identity: Identity
) -> None:
    """Alerts raised before, while and after the broker is dead arrive once it is back, in order."""
    broker = Mosquitto(tmp_path / "broker", persistence=True)
    with broker:
        async with Publisher(settings_for(broker.port), identity) as publisher:
            assert await publisher.connected(5)
            await publisher.alert(make_alert(alert="before"))
            assert await publisher.flush(5)
            await asyncio.to_thread(broker.kill)
            await publisher.alert(make_alert(alert="while-1"))
            await publisher.verdict(make_verdict())
            await publisher.alert(make_alert(AlertChange.CLEARED, alert="while-1"))
            await until(lambda: not publisher.checks()["broker"].ok)
            assert publisher.counts.outbox_rows == 2
            await asyncio.to_thread(broker.start)
            async with hear(broker.port) as hearing:
                await publisher.alert(make_alert(alert="after"))
                await until(lambda: len(hearing.payloads("alerts")) >= 3)
                await until(lambda: len(hearing.payloads("verdict")) >= 1)
            assert publisher.counts.connects >= 2
            assert publisher.checks()["broker"].ok
    told = [(event.data.alert, event.data.change) for event in map(parse, hearing.payloads("alerts"))]
    assert list(dict.fromkeys(told)) == [("while-1", "raised"), ("while-1", "cleared"), ("after", "raised")]


async def test_redelivery_keeps_the_event_id(broker: Mosquitto, settings_for: SettingsFor, identity: Identity) -> None:
    """An alert whose acknowledgement was lost is sent again as the same event, byte for byte."""
    async with Proxy(broker.port) as proxy, hear(broker.port) as hearing:
        settings = settings_for(proxy.port, publish_timeout_s=0.5)
        async with Publisher(settings, identity) as publisher:
            assert await publisher.connected(5)
            proxy.deaf = True
            await publisher.alert(make_alert())
            await until(lambda: len(hearing.payloads("alerts")) == 1)
            await proxy.cut()
            proxy.deaf = False
            await until(lambda: len(hearing.payloads("alerts")) >= 2)
            assert await publisher.flush(5)
    assert len(set(hearing.payloads("alerts"))) == 1
    assert publisher.counts.outbox_rows == 0


PUBLISH_FOREVER = """
import asyncio, json, sys
from monitor.config import Settings
from monitor.publish.identity import identify
from monitor.publish.link import Link
from monitor.publish.publisher import Publisher
from tests.publish.conftest import make_alert

async def main():
    settings = Settings(**json.loads(sys.argv[1]))
    async with Publisher(settings, identify(settings, "0")) as publisher:
        for n in range(100):
            await publisher.alert(make_alert(alert=f"a{n}"))
            print(n, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def _publish_and_kill(settings: Settings) -> None:
    """A process that raises 100 alerts with no broker in reach, killed when it has."""
    arguments = [sys.executable, "-c", PUBLISH_FOREVER, settings.model_dump_json()]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != b"99":
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)


async def test_alerts_survive_a_killed_process(
    broker: Mosquitto, settings_for: SettingsFor, identity: Identity
) -> None:
    """Alerts of a killed process are sent by the next one, all and in order, none twice."""
    await asyncio.to_thread(_publish_and_kill, settings_for(port=1))
    async with hear(broker.port, "lifesign/v1/calls/+/alerts") as hearing:
        async with Publisher(settings_for(broker.port), identity):
            await until(lambda: len(hearing.messages) >= 100)
    assert [parse(payload).data.alert for payload in hearing.payloads()] == [f"a{n}" for n in range(100)]


async def test_refused_alerts_wait_and_do_not_hold_up_other_calls(
    tmp_path: Path, settings_for: SettingsFor, identity: Identity
) -> None:
    """An access list that lacks one call keeps that call's alerts in the outbox, tells why, and lets others through."""
    acl = "topic readwrite lifesign/v1/nodes/#\ntopic readwrite lifesign/v1/calls/good/#\n"
    with Mosquitto(tmp_path / "broker", acl=acl) as broker:
        async with hear(broker.port) as hearing, Publisher(settings_for(broker.port), identity) as publisher:
            for n in range(70):
                await publisher.alert(make_alert(alert=f"bad-{n}", call="bad"))
            await publisher.alert(make_alert(call="good"))
            await until(lambda: len(hearing.payloads("good/alerts")) == 1)
            await until(lambda: not publisher.checks()["publish"].ok)
            assert "bad/alerts" in publisher.checks()["publish"].reason
            assert "access list" in publisher.checks()["publish"].reason
            assert publisher.checks()["broker"].ok
            assert publisher.counts.refused >= 1
            assert publisher.counts.outbox_rows == 70
    store = Store(settings_for(1).paths.state / "outbox-node-1.sqlite3")
    assert store.count() == 70
    store.close()


async def test_refused_state_recovers_with_the_access_list(
    tmp_path: Path, settings_for: SettingsFor, identity: Identity
) -> None:
    """A refused call state is not ready; it is ready again when the broker accepts it."""
    folder = tmp_path / "broker"
    with Mosquitto(folder, acl="topic readwrite lifesign/v1/nodes/#\n") as broker:
        async with Publisher(settings_for(broker.port), identity) as publisher:
            publisher.call_state("call-1", [ANN])
            await until(lambda: not publisher.checks()["publish"].ok)
            (folder / "acl").write_text("topic readwrite lifesign/v1/#\n")
            assert broker.process is not None
            broker.process.send_signal(signal.SIGHUP)
            await asyncio.sleep(0.3)
            publisher.call_state("call-1", [ANN, BOB])
            await until(lambda: publisher.checks()["publish"].ok)


async def test_wrong_password_is_not_ready_and_loses_nothing(
    tmp_path: Path, settings_for: SettingsFor, identity: Identity
) -> None:
    """Bad credentials are a readiness reason with advice; alerts wait on the disk; attempts are few."""
    with Mosquitto(tmp_path / "broker", password=("lifesign", "right")) as broker:
        settings = settings_for(broker.port, username="lifesign", password="wrong")
        async with Publisher(settings, identity) as publisher:
            await publisher.alert(make_alert())
            await until(lambda: publisher.counts.connect_failures >= 2)
            check = publisher.checks()["broker"]
            assert not check.ok
            assert "mqtt.password" in check.reason
            assert "wrong" not in check.reason
            assert publisher.counts.outbox_rows == 1
        async with hear(broker.port, username="lifesign", password="right") as hearing:
            right = settings_for(broker.port, username="lifesign", password="right")
            async with Publisher(right, identity):
                await until(lambda: len(hearing.payloads("alerts")) == 1)


async def test_offline_when_the_link_is_cut_and_online_again(
    broker: Mosquitto, settings_for: SettingsFor, identity: Identity
) -> None:
    """The will says offline for a vanished node; each new connection says online and brings back the verdicts."""
    async with Proxy(broker.port) as proxy, hear(broker.port) as hearing:
        async with Publisher(settings_for(proxy.port), identity) as publisher:
            await publisher.verdict(make_verdict())
            assert await publisher.flush(5)
            await proxy.cut()
            await until(lambda: len(hearing.payloads("status")) >= 3)
            await until(lambda: len(hearing.payloads("verdict")) >= 2)
            statuses = [parse(payload).data.status for payload in hearing.payloads("status")]
            assert statuses[:3] == ["online", "offline", "online"]
            assert publisher.counts.connects == 2
