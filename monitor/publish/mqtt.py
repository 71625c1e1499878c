# SPDX-License-Identifier: Apache-2.0
"""Letters in, MQTT packets out, and the broker's true answer back.

The session ends every wait when the link drops: aiomqtt 2.5 would let a publish in flight wait its whole timeout.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from monitor.config import MqttSettings
from monitor.errors import BrokerError, PublishError, RefusedError
from monitor.publish.client import Client
from monitor.publish.letter import CONTENT_TYPE, Letter

__all__ = ["Endpoint", "Received", "Session", "connect", "tls_context"]

# Ours to judge: paho's words on a lost link repeat what the session's error says.
_QUIET = logging.getLogger("lifesign.mqtt")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
# A half-open link with nothing to publish is noticed after 1.5 times this (MQTT 5, 3.1.2.10).
_KEEPALIVE_S = 15
# A reader that falls this far behind loses messages rather than memory.
_MAX_UNREAD = 10_000
_FIRST_FAILURE = 0x80  # MQTT 5, 2.4: reason codes from here on are failures
_CREDENTIALS: Final = "Check mqtt.username, mqtt.password or the client certificate, and the broker's access list."
_REACH: Final = "Check that the broker runs and can be reached, and that each node has a node.name of its own."
_ADVICE: Final = {
    0x84: "Set mqtt.version to one the broker speaks.",
    0x86: _CREDENTIALS,
    0x87: _CREDENTIALS,
    0x8E: "Another client uses the same id; give each node its own node.name or mqtt.client_id.",
    0x97: "Raise the broker's quota for this client.",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A broker as this client sees it; `tls` is None for plain text."""

    host: str
    port: int
    settings: MqttSettings
    tls: ssl.SSLContext | None = None

    @property
    def version5(self) -> bool:
        """Whether MQTT 5 is spoken."""
        return self.settings.version == "5"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker; an empty payload says that the topic was emptied."""

    topic: str
    payload: bytes
    retained: bool


class _TlsSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho would leave that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature of the base
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def tls_context(settings: MqttSettings) -> ssl.SSLContext | None:
    """The TLS context of the settings, or None; reads files, raises BrokerError when one cannot be used."""
    if settings.tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.tls.ca)
        context.sslsocket_class = _TlsSocket
        if settings.tls.certificate is not None:
            context.load_cert_chain(settings.tls.certificate, settings.tls.key)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(
            f"The TLS files of the broker link cannot be used: {error}.",
            "Check mqtt.tls.ca, mqtt.tls.certificate and mqtt.tls.key.",
        ) from error
    return context


def _is_failure(code: ReasonCode | None) -> bool:
    return code is not None and code.value >= _FIRST_FAILURE


def _refused(what: str, code: ReasonCode, advice: str = "See the broker's log.") -> RefusedError:
    return RefusedError(f"{what}: {code} (0x{code.value:02X}).", _ADVICE.get(code.value, advice))


def _lost(what: str, goodbye: ReasonCode | None = None) -> PublishError:
    """The link is to blame; `goodbye` is the reason the broker gave, if it did."""
    if goodbye is None:
        return PublishError(f"{what}.", _REACH)
    return PublishError(f"{what}: {goodbye}.", _ADVICE.get(goodbye.value, _REACH))


def _properties(packet: int, expiry_s: int | None = None) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.ContentType = CONTENT_TYPE
    properties.PayloadFormatIndicator = 1  # UTF-8 text (MQTT 5, 3.3.2.3.2)
    if expiry_s is not None:
        properties.MessageExpiryInterval = expiry_s
    return properties


class Session:
    """One live connection to the broker."""

    def __init__(self, client: Client, endpoint: Endpoint) -> None:
        self._client = client
        self._endpoint = endpoint
        self._timeout_s = endpoint.settings.publish_timeout_s

    async def publish(self, letters: Sequence[Letter]) -> tuple[PublishError | None, ...]:
        """Publish letters in order at QoS 1; per letter None when the broker accepted it, else what went wrong.

        Returns as soon as all are answered, the link drops, or `publish_timeout_s` has passed.
        """
        acks = self._send(letters)
        try:
            await self._answered(acks)
            outcomes = [self._outcome(letter, ack) for letter, ack in zip(letters, acks, strict=False)]
        finally:
            self._forget(acks)
        return (*outcomes, *(self._gone(letter.topic) for letter in letters[len(acks) :]))

    def _send(self, letters: Sequence[Letter]) -> list["asyncio.Future[ReasonCode]"]:
        """Hand letters to paho up to the first it will not take."""
        acks: list[asyncio.Future[ReasonCode]] = []
        for letter in letters:
            ack = self._client.send(letter, self._properties(letter))
            if ack is None:
                break
            acks.append(ack)
        return acks

    async def _answered(self, acks: Sequence["asyncio.Future[ReasonCode]"]) -> None:
        if not acks:
            return
        everything = asyncio.create_task(asyncio.wait(acks), name="mqtt acknowledgements")
        ends = (everything, self._client.lost)
        try:
            await asyncio.wait(ends, timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            everything.cancel()

    def _forget(self, acks: Sequence["asyncio.Future[ReasonCode]"]) -> None:
        for ack in acks:
            ack.cancel()
        self._client.acks = {mid: ack for mid, ack in self._client.acks.items() if not ack.cancelled()}

    def _outcome(self, letter: Letter, ack: "asyncio.Future[ReasonCode]") -> PublishError | None:
        if not ack.done():
            return self._gone(letter.topic)
        code = ack.result()
        return _refused(f"The broker refused {letter.topic}", code) if _is_failure(code) else None

    def _gone(self, topic: str) -> PublishError:
        if self._client.lost.done():
            return _lost(f"The link to {self._endpoint} dropped before {topic} was accepted", self._client.goodbye)
        return _lost(f"{self._endpoint} did not acknowledge {topic} within {self._timeout_s:g} s")

    def _properties(self, letter: Letter) -> Properties | None:
        if not self._endpoint.version5 or not letter.payload:
            return None
        return _properties(PacketTypes.PUBLISH, letter.expiry_s)

    async def lost(self) -> PublishError:
        """Wait until the link is gone; returns why."""
        await asyncio.wait((self._client.lost,))
        return _lost(f"The link to {self._endpoint} dropped", self._client.goodbye)

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe at QoS 1; raises RefusedError when the broker grants none or not all of them."""
        try:
            granted: Sequence[ReasonCode | int] = await self._client.subscribe([(topic, 1) for topic in filters])
        except aiomqtt.MqttError as error:
            raise PublishError(f"Subscribing failed: {error}.", _REACH) from error
        for topic, code in zip(filters, granted, strict=True):
            value = code.value if isinstance(code, ReasonCode) else int(code)
            if value >= _FIRST_FAILURE:
                advice = "Allow this user to read under mqtt.root in the broker's access list."
                raise RefusedError(f"The broker refused the subscription to {topic} (0x{value:02X}).", advice)

    async def messages(self) -> AsyncIterator[Received]:
        """Messages as they come; raises PublishError when the link is gone."""
        try:
            async for message in self._client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                yield Received(str(message.topic), payload, bool(message.retain))
        except aiomqtt.MqttError as error:
            raise _lost(f"The link to {self._endpoint} dropped", self._client.goodbye) from error


def _will(endpoint: Endpoint, letter: Letter | None) -> aiomqtt.Will | None:
    if letter is None:
        return None
    properties = None
    if endpoint.version5:
        properties = _properties(PacketTypes.WILLMESSAGE)
    return aiomqtt.Will(letter.topic, letter.payload, 1, letter.retain, properties)


def _client(endpoint: Endpoint, client_id: str, will: Letter | None) -> Client:
    settings = endpoint.settings
    return Client(
        endpoint.host,
        endpoint.port,
        username=settings.username,
        password=settings.password.get_secret_value() if settings.password else None,
        logger=_QUIET,
        identifier=client_id,
        protocol=aiomqtt.ProtocolVersion.V5 if endpoint.version5 else aiomqtt.ProtocolVersion.V311,
        clean_session=None if endpoint.version5 else True,
        will=_will(endpoint, will),
        timeout=settings.publish_timeout_s,
        connect_timeout_s=settings.publish_timeout_s,
        keepalive=_KEEPALIVE_S,
        max_queued_incoming_messages=_MAX_UNREAD,
        tls_context=endpoint.tls,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )


async def _open(client: Client, endpoint: Endpoint) -> None:
    """Connect; a cancellation waits for the connecting thread, which cannot be stopped, before it passes through."""
    opening = asyncio.create_task(client.__aenter__(), name=f"connect {endpoint}")
    try:
        await asyncio.shield(opening)
    except asyncio.CancelledError:
        await asyncio.wait((opening,))
        client.drop()
        raise
    except (aiomqtt.MqttError, ValueError) as error:
        client.drop()
        raise _unconnected(endpoint, error) from error


def _unconnected(endpoint: Endpoint, error: Exception) -> PublishError:
    code = error.rc if isinstance(error, aiomqtt.MqttCodeError) else None
    if isinstance(code, ReasonCode):
        return _refused(f"{endpoint} refused the connection", code)
    return PublishError(
        f"No connection to {endpoint}: {error}.", "Check mqtt.host, mqtt.port and that the broker runs."
    )


@contextlib.asynccontextmanager
async def connect(endpoint: Endpoint, client_id: str, will: Letter | None = None) -> AsyncIterator[Session]:
    """A session with the broker, closed with a goodbye, after which the broker keeps the will to itself.

    Raises RefusedError for a refusal (credentials, access list, version), PublishError when nobody answers.
    """
    client = _client(endpoint, client_id, will)
    await _open(client, endpoint)
    try:
        yield Session(client, endpoint)
    finally:
        try:
            with contextlib.suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)
        finally:
            client.drop()
