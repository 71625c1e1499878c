# SPDX-License-Identifier: Apache-2.0
"""The embedded broker: loopback alone, ports, credentials."""

import os
import socket
from pathlib import Path

import aiomqtt
import pytest

from monitor.config import MqttSettings
from monitor.errors import BrokerError
from monitor.publish.broker import EmbeddedBroker
from tests.fakes.brokers import free_port


def listening(port: int) -> set[str]:
    """Local addresses (hex, as the kernel shows them) that listen on a port."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}


async def test_listens_on_loopback_alone() -> None:
    """Both listeners are bound to 127.0.0.1 and gone after stop."""
    broker = EmbeddedBroker(MqttSettings(port=0))
    await broker.start()
    ports = (broker.port, broker.legacy_port)
    assert [listening(port) for port in ports] == [{"0100007F"}, {"0100007F"}]
    assert broker.running
    await broker.stop()
    await broker.stop()
    assert [listening(port) for port in ports] == [set(), set()]


async def test_configured_port_and_the_one_above() -> None:
    """A configured port carries MQTT 5, the next one MQTT 3.1.1; both come back after a restart."""
    broker = EmbeddedBroker(MqttSettings(port=free_port()))
    await broker.start()
    first = (broker.address("5"), broker.address("3.1.1"))
    await broker.stop()
    await broker.start()
    assert (broker.address("5"), broker.address("3.1.1")) == first
    await broker.stop()


async def test_taken_port_says_what_to_do() -> None:
    """A port in use is a BrokerError that offers the external broker and another port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        broker = EmbeddedBroker(MqttSettings(port=taken.getsockname()[1]))
        with pytest.raises(BrokerError, match=r"mqtt\.broker to external.*mqtt\.port"):
            await broker.start()
        assert not broker.running


async def test_credentials_are_demanded_and_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With user name and password set nobody gets in without them, and the configuration file is gone again."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    broker = EmbeddedBroker(MqttSettings(port=0, username='us"er', password='pä"ss\\word'))
    await broker.start()
    try:
        assert os.listdir(tmp_path) == []  # noqa: PTH208 - a name is all it needs
        for version, port in (
            (aiomqtt.ProtocolVersion.V5, broker.port),
            (aiomqtt.ProtocolVersion.V311, broker.legacy_port),
        ):
            client = aiomqtt.Client("127.0.0.1", port, protocol=version, timeout=0.5)
            with pytest.raises(aiomqtt.MqttError):
                await client.__aenter__()
            client._client._sock_close()
            known = {"username": 'us"er', "password": 'pä"ss\\word'}
            async with aiomqtt.Client("127.0.0.1", port, protocol=version, timeout=5, **known):
                pass
    finally:
        await broker.stop()
