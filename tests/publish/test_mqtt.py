# SPDX-License-Identifier: Apache-2.0
"""The broker's true answer: acceptance, refusal, silence and loss of the link."""

import asyncio
import time
from pathlib import Path

import aiomqtt
import pytest

from monitor.config import MqttSettings, MqttTls
from monitor.errors import BrokerError, PublishError, RefusedError
from monitor.publish.letter import Letter
from monitor.publish.mqtt import Endpoint, connect, tls_context
from tests.fakes.brokers import Authority, Mosquitto, Proxy, free_port, hear, stranger, until


def endpoint(port: int, **changes: object) -> Endpoint:
    """A broker on loopback."""
    settings = MqttSettings(**{"broker": "external", "publish_timeout_s": 2.0, **changes})
    return Endpoint("127.0.0.1", port, settings, tls_context(settings))


async def test_letters_arrive_in_order_with_their_properties(broker: Mosquitto) -> None:
    """Letters of one batch arrive in order, each with content type and expiry, and are reported as accepted."""
    letters = [Letter("t/alerts", f"{n}".encode(), expiry_s=60) for n in range(100)]
    async with hear(broker.port) as hearing, connect(endpoint(broker.port), "one") as session:
        assert await session.publish(letters) == (None,) * 100
        await until(lambda: len(hearing.messages) == 100)
    assert hearing.payloads() == [letter.payload for letter in letters]
    properties = hearing.messages[0].properties
    assert properties.ContentType == "application/cloudevents+json"
    assert 0 < properties.MessageExpiryInterval <= 60


async def test_expired_letter_is_dropped_by_the_broker(broker: Mosquitto) -> None:
    """A letter that a sleeping subscriber does not fetch in time is not delivered; a longer lived one is."""
    persistent = {"identifier": "sleeper", "clean_start": False}
    persistent["properties"] = aiomqtt.client.Properties(aiomqtt.client.mqtt.CONNECT >> 4)
    persistent["properties"].SessionExpiryInterval = 60
    async with hear(broker.port, **persistent):
        pass
    async with connect(endpoint(broker.port), "one") as session:
        await session.publish([Letter("t", b"short", expiry_s=1), Letter("t", b"long", expiry_s=60)])
    await asyncio.sleep(2.2)
    async with hear(broker.port, **persistent) as hearing:
        await until(lambda: bool(hearing.messages))
    assert hearing.payloads() == [b"long"]


async def test_denied_publish_is_refused_and_others_are_not(tmp_path: Path) -> None:
    """A topic outside the access list is a RefusedError that names the topic; its neighbours are accepted."""
    with Mosquitto(tmp_path / "b", acl="topic readwrite ok/#\n") as broker:
        async with connect(endpoint(broker.port), "one") as session:
            outcomes = await session.publish([Letter("ok/a", b"1"), Letter("no/b", b"2"), Letter("ok/c", b"3")])
    assert outcomes[0] is outcomes[2] is None
    assert isinstance(outcomes[1], RefusedError)
    assert "no/b" in outcomes[1].what
    assert "access list" in outcomes[1].advice
    assert "0x87" in outcomes[1].what


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_wrong_password_is_refused(tmp_path: Path, version: str) -> None:
    """Wrong credentials are a RefusedError that names the settings to check; right ones connect."""
    with Mosquitto(tmp_path / "b", password=("lifesign", "right")) as broker:
        wrong = endpoint(broker.port, version=version, username="lifesign", password="wrong")
        with pytest.raises(RefusedError, match=r"mqtt\.password"):
            async with connect(wrong, "one"):
                pass
        right = endpoint(broker.port, version=version, username="lifesign", password="right")
        async with connect(right, "one") as session:
            assert await session.publish([Letter("t", b"x")]) == (None,)


async def test_version_3_1_1_publishes_without_properties(broker: Mosquitto) -> None:
    """MQTT 3.1.1 delivers letters; expiry and content type do not exist there."""
    async with hear(broker.port) as hearing, connect(endpoint(broker.port, version="3.1.1"), "one") as session:
        assert await session.publish([Letter("t", b"x", expiry_s=60)]) == (None,)
        await until(lambda: bool(hearing.messages))
    assert "Sending CONNACK" in broker.log
    assert not hasattr(hearing.messages[0].properties, "ContentType")


async def test_will_is_published_when_the_socket_is_cut(broker: Mosquitto) -> None:
    """A cut link makes the broker publish the retained will; a goodbye does not."""
    will = Letter("nodes/n/status", b"offline", retain=True)
    async with hear(broker.port) as hearing, Proxy(broker.port) as proxy:
        async with connect(endpoint(proxy.port), "one", will) as session:
            await session.publish([Letter("nodes/n/status", b"online", retain=True)])
        async with connect(endpoint(proxy.port), "one", will) as session:
            await session.publish([Letter("nodes/n/status", b"online again", retain=True)])
            await proxy.cut()
            assert isinstance(await session.lost(), PublishError)
            await until(lambda: b"offline" in hearing.payloads())
    assert hearing.payloads() == [b"online", b"online again", b"offline"]
    async with hear(broker.port) as late:
        await until(lambda: bool(late.messages))
    assert late.payloads() == [b"offline"]


async def test_publish_in_flight_is_woken_when_the_link_drops(broker: Mosquitto) -> None:
    """A publish that waits for its acknowledgement ends with the link, not with its timeout."""
    async with Proxy(broker.port) as proxy, connect(endpoint(proxy.port, publish_timeout_s=15.0), "one") as session:
        proxy.deaf = True
        waiting = asyncio.create_task(session.publish([Letter("t", b"x")]))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        started_s = time.monotonic()
        await proxy.cut()
        (outcome,) = await waiting
        assert time.monotonic() - started_s < 10
        assert isinstance(outcome, PublishError)
        assert not isinstance(outcome, RefusedError)
        assert "dropped" in outcome.what


async def test_publish_without_an_answer_times_out(broker: Mosquitto) -> None:
    """A broker that stops answering is a PublishError after the configured time; nothing stays pending."""
    async with Proxy(broker.port) as proxy, connect(endpoint(proxy.port, publish_timeout_s=0.3), "one") as session:
        proxy.deaf = True
        outcomes = await session.publish([Letter("t", b"x"), Letter("t", b"y")])
        assert all("did not acknowledge" in outcome.what for outcome in outcomes if outcome)
        assert not session._client.acks


async def test_nobody_listening_is_an_error_with_advice() -> None:
    """A closed port is a PublishError that says where to look."""
    with pytest.raises(PublishError, match=r"mqtt\.port"):
        async with connect(endpoint(free_port()), "one"):
            pass


async def test_listener_that_never_answers_is_given_up() -> None:
    """A server that accepts and says nothing is given up after the configured time, its socket closed."""
    async with stranger(lambda reader, writer: asyncio.sleep(60)) as port:
        with pytest.raises(PublishError):
            async with connect(endpoint(port, publish_timeout_s=0.3), "one"):
                pass


async def test_server_that_closes_before_answering_is_noticed_at_once() -> None:
    """A server that hangs up before CONNACK does not cost the whole timeout."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async with stranger(hang_up) as port, asyncio.timeout(10):
        with pytest.raises(PublishError, match="closed"):
            async with connect(endpoint(port, publish_timeout_s=15.0), "one"):
                pass


async def test_taken_over_link_says_so(broker: Mosquitto) -> None:
    """A second client with the same id ends the first link with advice on the client id."""
    async with connect(endpoint(broker.port), "same") as first, connect(endpoint(broker.port), "same"):
        error = await first.lost()
    assert "node.name" in error.advice


async def test_tls_with_client_certificate(tmp_path: Path) -> None:
    """TLS checks the broker against its authority, and a client certificate is the credential."""
    authority = Authority(tmp_path)
    certificate, key = authority.client
    with Mosquitto(tmp_path / "b", tls=authority, client_certificates=True) as broker:
        with_certificate = MqttTls(ca=authority.ca, certificate=certificate, key=key)
        async with connect(endpoint(broker.port, tls=with_certificate), "one") as session:
            letters = [Letter("t", b"x" * 5000) for _ in range(64)]
            assert await session.publish(letters) == (None,) * 64
        with pytest.raises(PublishError):
            async with connect(endpoint(broker.port, tls=MqttTls(ca=authority.ca)), "one"):
                pass


async def test_tls_refuses_an_unknown_authority(tmp_path: Path) -> None:
    """A broker whose certificate another authority signed is not talked to."""
    (tmp_path / "other").mkdir()
    authority, other = Authority(tmp_path), Authority(tmp_path / "other")
    with Mosquitto(tmp_path / "b", tls=authority) as broker:
        async with connect(endpoint(broker.port, tls=MqttTls(ca=authority.ca)), "one") as session:
            assert await session.publish([Letter("t", b"x")]) == (None,)
        with pytest.raises(PublishError, match="CERTIFICATE_VERIFY_FAILED"):
            async with connect(endpoint(broker.port, tls=MqttTls(ca=other.ca)), "one"):
                pass


def test_missing_tls_file_is_a_broker_error(tmp_path: Path) -> None:
    """TLS files that cannot be read stop the start, and the setting is named."""
    with pytest.raises(BrokerError, match=r"mqtt\.tls\.ca"):
        tls_context(MqttSettings(tls=MqttTls(ca=tmp_path / "none.pem")))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, last: bytes) -> None:
    """A broker that accepts the connection and answers the next packet with these bytes."""
    await reader.readuntil(b"one")
    writer.write(b"\x20\x03\x00\x00\x00")
    head = await reader.readexactly(4)
    writer.write(last.replace(b"ID", head[2:4]))
    await writer.drain()
    await reader.read()


async def test_refused_subscription_is_an_error() -> None:
    """A reader that may not subscribe is told so."""
    suback = b"\x90\x04ID\x00\x87"
    async with stranger(lambda r, w: _answer(r, w, suback)) as port, connect(endpoint(port), "one") as session:
        with pytest.raises(RefusedError, match="read under"):
            await session.subscribe(["calls/+/alerts"])


async def test_reason_of_a_goodbye_is_kept() -> None:
    """A broker that ends the link with a reason (0x8E: session taken over) is quoted."""
    goodbye = b"\xe0\x02\x8e\x00"
    async with stranger(lambda r, w: _answer(r, w, goodbye)) as port, connect(endpoint(port), "one") as session:
        (outcome,) = await session.publish([Letter("t", b"x")])
        lost = await session.lost()
    for error in (outcome, lost):
        assert error is not None
        assert "taken over" in error.what
        assert "client_id" in error.advice


async def test_cancelled_connect_leaves_nothing_behind() -> None:
    """Cancelling a connection attempt passes through and closes the socket."""

    async def attempt(port: int) -> None:
        async with connect(endpoint(port, publish_timeout_s=0.5), "one"):
            pass

    async with stranger(lambda reader, writer: asyncio.sleep(60)) as port:
        task = asyncio.create_task(attempt(port))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
