# SPDX-License-Identifier: Apache-2.0
"""Sockets read together, on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from monitor.capture import adapter_sockets
from monitor.capture.adapter_sockets import BURST, LOOPS, gather
from tests.fakes.calls import until

PAUSE_S = 0.01


class Port(asyncio.DatagramProtocol):
    """A socket as aioice holds it; fails at the datagrams named in `bad`."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.bad: set[bytes] = set()
        self.lost = False

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.got.append(data)
        if data in self.bad:
            raise LookupError("a scripted failure")


@pytest.fixture
async def ports() -> AsyncIterator[list[Port]]:
    """Two that are read together."""
    loop = asyncio.get_running_loop()
    made = [(await loop.create_datagram_endpoint(Port, local_addr=("127.0.0.1", 0)))[1] for _ in range(2)]
    for port in made:
        assert gather(port, PAUSE_S)
    yield made
    for port in made:
        port.transport.close()
    await until(lambda: all(port.lost for port in made))


@pytest.fixture
def sender() -> AsyncIterator[socket.socket]:
    """A peer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        yield made


async def test_all_come_in_order_and_answers_go_out(ports: list[Port], sender: socket.socket) -> None:
    """Bursts longer than one turn reach each protocol whole and in order; after a silence the next one does too."""
    sender.bind(("127.0.0.1", 0))
    sent = [bytes([step]) for step in range(2 * BURST + 3)]
    for burst in range(2):
        for port in ports:
            for data in sent:
                sender.sendto(data, port.transport.get_extra_info("sockname"))
        await until(lambda port=ports[1], count=burst + 1: len(port.got) == count * len(sent))
        await asyncio.sleep(3 * PAUSE_S)
    assert all(port.got == sent + sent for port in ports)
    ports[0].transport.sendto(b"answer", sender.getsockname())
    sender.settimeout(5)
    assert await asyncio.to_thread(sender.recv, 10) == b"answer"


async def test_rounds_are_few(ports: list[Port], sender: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Datagrams that trickle in cost one round in each pause, not one each; silence costs none."""
    reader, rounds = LOOPS[asyncio.get_running_loop()], []
    turn = reader._round
    monkeypatch.setattr(reader, "_round", lambda: (rounds.append(len(ports[0].got)), turn()))
    for _ in range(50):
        sender.sendto(b"x", ports[0].transport.get_extra_info("sockname"))
        await asyncio.sleep(0.001)
    await until(lambda: len(ports[0].got) == 50)
    await asyncio.sleep(3 * PAUSE_S)
    assert len(rounds) < 25
    settled = len(rounds)
    await asyncio.sleep(3 * PAUSE_S)
    assert len(rounds) == settled


async def test_failure_of_one_datagram_is_its_own(ports: list[Port], sender: socket.socket) -> None:
    """A datagram that cannot be handled is told to the loop, and the next ones come all the same."""
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    ports[0].bad = {b"bad"}
    for data in (b"one", b"bad", b"two"):
        sender.sendto(data, ports[0].transport.get_extra_info("sockname"))
    await until(lambda: ports[0].got == [b"one", b"bad", b"two"])
    assert [type(each["exception"]) for each in told] == [LookupError]


async def test_ends_with_the_last_socket(sender: socket.socket) -> None:
    """A closed connection is forgotten, the other one is read on, and nothing is left after the last."""
    loop = asyncio.get_running_loop()
    first, second = [(await loop.create_datagram_endpoint(Port, local_addr=("127.0.0.1", 0)))[1] for _ in range(2)]
    for port in (first, second):
        gather(port, PAUSE_S)
    first.transport.close()
    await until(lambda: first.lost)
    assert len(LOOPS[loop]) == 1
    sender.sendto(b"x", second.transport.get_extra_info("sockname"))
    await until(lambda: second.got == [b"x"])
    second.transport.close()
    await until(lambda: second.lost)
    assert loop not in LOOPS


def test_left_alone_where_asyncio_does_not_read() -> None:
    """A TURN relay has no socket, another loop's transport cannot be paused: both stay as they are."""

    class Relay:
        def get_extra_info(self, name: str) -> object:
            return None

    port = Port()
    port.transport = Relay()
    assert not gather(port, PAUSE_S)
    assert adapter_sockets.LOOPS == {}
