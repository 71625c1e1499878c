# SPDX-License-Identifier: Apache-2.0
"""Real brokers on free loopback ports, a cuttable link in front of them, and a subscriber that remembers."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import aiomqtt
import pytest
import trustme

__all__ = ["Authority", "Hearing", "Mosquitto", "Proxy", "free_port", "hear", "stranger", "until"]

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(met: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait until a condition holds; fails the test when it never does."""
    async with asyncio.timeout(timeout_s):
        while not met():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


class Authority:
    """A certificate authority with a server and a client certificate, as PEM files in a folder."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        self.server = self._issue(authority.issue_cert("127.0.0.1", "localhost"), folder, "server")
        self.client = self._issue(
            authority.issue_cert("lifesign@example.org", common_name="lifesign"), folder, "client"
        )

    @staticmethod
    def _issue(issued: trustme.LeafCert, folder: Path, name: str) -> tuple[Path, Path]:
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        issued.cert_chain_pems[0].write_to_path(certificate)
        issued.private_key_pem.write_to_path(key)
        return certificate, key


@dataclass
class Mosquitto:
    """A mosquitto of its own in a folder; skips the test by name where the binary is missing."""

    folder: Path
    password: tuple[str, str] | None = None
    acl: str | None = None
    tls: Authority | None = None
    client_certificates: bool = False
    persistence: bool = False
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        if not Path(MOSQUITTO).exists():
            pytest.skip("mosquitto is missing: install the Debian package mosquitto")
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "mosquitto.conf").write_text("\n".join(self._lines()) + "\n")

    def _lines(self) -> list[str]:
        lines = [f"listener {self.port} 127.0.0.1", "log_dest file " + str(self.folder / "log"), "log_type all"]
        if os.getuid() == 0:
            lines.append("user root")
        lines.append(f"allow_anonymous {'false' if self.password or self.client_certificates else 'true'}")
        if self.password:
            passwords = self.folder / "passwords"
            passwords.write_text(":".join(self.password) + "\n")
            subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
            lines.append(f"password_file {passwords}")
        if self.acl is not None:
            (self.folder / "acl").write_text(self.acl)
            lines.append(f"acl_file {self.folder / 'acl'}")
        if self.tls:
            certificate, key = self.tls.server
            lines += [f"cafile {self.tls.ca}", f"certfile {certificate}", f"keyfile {key}"]
        if self.client_certificates:
            lines += ["require_certificate true", "use_identity_as_username true"]
        if self.persistence:
            lines += ["persistence true", f"persistence_location {self.folder}/", "autosave_on_changes true"]
            lines += ["autosave_interval 1", "max_queued_messages 0"]
        return lines

    def start(self) -> Self:
        """Start, and wait until it accepts connections."""
        arguments = [MOSQUITTO, "-c", str(self.folder / "mosquitto.conf")]
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
                return self
            time.sleep(0.01)
        raise AssertionError(f"mosquitto did not start: {self.log}")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End the process without any goodbye to its clients."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(5)
            self.process = None

    @property
    def log(self) -> str:
        """What the broker wrote."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill(signal.SIGTERM)


class Proxy:
    """A TCP link to a broker that can be cut, or turned deaf so that nothing comes back."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.deaf = False
        self.port = 0
        self.links = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._link, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """Drop every link without an MQTT goodbye."""
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, back, to_client=False))
                group.create_task(self._pump(there, writer, to_client=True))
        except (OSError, asyncio.CancelledError, ExceptionGroup):
            return
        finally:
            for end in (writer, back) if "back" in locals() else (writer,):
                end.transport.abort()
                self._writers.discard(end)
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_client: bool) -> None:
        while data := await reader.read(65536):
            if not (to_client and self.deaf):
                writer.write(data)
                await writer.drain()
        raise ConnectionResetError


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def stranger(handle: Handler) -> AsyncIterator[int]:
    """Something on a loopback port that is no broker; yields the port, leaves no connection open."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await handle(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Hearing:
    """What a subscriber has heard, in order."""

    messages: list[aiomqtt.Message] = field(default_factory=list)

    def payloads(self, end_of_topic: str = "") -> list[bytes]:
        """Payloads of the topics that end so."""
        return [bytes(m.payload) for m in self.messages if str(m.topic).endswith(end_of_topic)]


@contextlib.asynccontextmanager
async def hear(port: int, topic: str = "#", **options: object) -> AsyncIterator[Hearing]:
    """Subscribe with MQTT 5 and collect until the block ends."""
    hearing = Hearing()
    options.setdefault("protocol", aiomqtt.ProtocolVersion.V5)
    async with aiomqtt.Client("127.0.0.1", port, timeout=5, **options) as client:
        await client.subscribe(topic, qos=1)

        async def collect() -> None:
            with contextlib.suppress(aiomqtt.MqttError):
                async for message in client.messages:
                    hearing.messages.append(message)

        task = asyncio.create_task(collect())
        try:
            yield hearing
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
