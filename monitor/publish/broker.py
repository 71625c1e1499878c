# SPDX-License-Identifier: Apache-2.0
"""Settings in, an MQTT broker on loopback out: rumqttd in a child process, by way of iotcore."""

import asyncio
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import iotcore
import structlog

from monitor.config import MqttSettings
from monitor.errors import BrokerError

__all__ = ["EmbeddedBroker"]

log = structlog.get_logger()
_HOST: Final = "127.0.0.1"
_START_TIMEOUT_S: Final = 10.0
# rumqttd keeps its log of messages in memory: ten segments of at most 10 MB.
_ROUTER: Final = """
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10
"""
_LISTENER: Final = """
[{table}]
name = "{table}"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[{table}.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
"""


class EmbeddedBroker:
    """A broker for one machine: MQTT 5 on `port`, MQTT 3.1.1 on `legacy_port`, nothing beyond loopback.

    The configured port carries MQTT 5 and the one above it MQTT 3.1.1 (any free one when that is taken);
    port 0 takes free ones. When user name and password are set, clients must give them. What it retains is lost
    when it stops; it stops with this process, however that ends.
    """

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._broker: iotcore.Broker | None = None
        self.host = _HOST
        self.port = settings.port
        self.legacy_port = 0

    @property
    def running(self) -> bool:
        """Whether the child process lives."""
        return self._broker is not None and bool(self._broker.is_running)

    def address(self, version: str) -> tuple[str, int]:
        """Host and port for an MQTT version, "5" or "3.1.1"."""
        return self.host, self.port if version == "5" else self.legacy_port

    async def start(self) -> None:
        """Start, or start again on the same ports; raises BrokerError when the port is taken or nothing comes up."""
        if not self.running:
            await asyncio.to_thread(self._start)

    async def stop(self) -> None:
        """Stop the child process and release its ports."""
        broker, self._broker = self._broker, None
        if broker is not None:
            await asyncio.to_thread(broker.stop)

    def _start(self) -> None:
        self._choose_ports()
        try:
            with self._configuration() as path:
                broker = iotcore.Broker(config_path=str(path))
                broker.start(_START_TIMEOUT_S)
        except OSError as error:
            raise self._taken() from error
        except RuntimeError as error:
            raise BrokerError(
                f"The embedded broker did not start: {error}.",
                "Set IOTCORE_LOG_LEVEL=DEBUG to see why, or set mqtt.broker to external.",
            ) from error
        self._broker = broker
        log.info("embedded_broker", host=self.host, port=self.port, legacy_port=self.legacy_port)

    def _choose_ports(self) -> None:
        if self.port == 0:
            self.port = _free_port(0)
        elif not _is_free(self.port):
            raise self._taken()
        if self.legacy_port == 0:
            above = self.port + 1
            wanted = above if self._settings.port and above <= 65535 and _is_free(above) else 0
            self.legacy_port = wanted or _free_port(self.port)

    def _taken(self) -> BrokerError:
        return BrokerError(
            f"Port {self.port} on {self.host} is taken, so the embedded broker cannot listen there.",
            "If an MQTT broker runs there, set mqtt.broker to external; else set mqtt.port to another port, or to 0.",
        )

    @contextmanager
    def _configuration(self) -> Iterator[Path]:
        """The broker's TOML file, for its owner alone (it may hold the password), while the broker starts."""
        descriptor, name = tempfile.mkstemp(prefix="lifesign-broker-", suffix=".toml")
        path = Path(name)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(self._toml())
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _toml(self) -> str:
        listeners = (("v5.1", self.port), ("v4.1", self.legacy_port))
        tables = (_LISTENER.format(table=name, host=_HOST, port=port) + self._auth(name) for name, port in listeners)
        return _ROUTER + "".join(tables)

    def _auth(self, table: str) -> str:
        settings = self._settings
        if settings.username is None or settings.password is None:
            return ""
        # A JSON string is a TOML basic string.
        user, password = (
            json.dumps(text, ensure_ascii=False) for text in (settings.username, settings.password.get_secret_value())
        )
        return f"[{table}.connections.auth]\n{user} = {password}\n"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def _free_port(besides: int) -> int:
    """A free port that is not `besides`."""
    while True:
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            port = int(probe.getsockname()[1])
        if port != besides:
            return port
