# SPDX-License-Identifier: Apache-2.0
"""aiomqtt's client, completed: PUBACK reason codes, the reason of a disconnect, a writer that outlives its socket.

aiomqtt 2.5 reports a publish that the broker denied as done, and its writer complains of a bad descriptor when the
link is cut. The private names touched here are pinned by the requirement aiomqtt >= 2.5, < 2.6 and by tests.
"""

import asyncio
from typing import Any

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from monitor.publish.letter import Letter

__all__ = ["Client"]


class Client(aiomqtt.Client):
    """One connection; `goodbye` is the reason code of the broker's own DISCONNECT."""

    def __init__(self, *args: Any, connect_timeout_s: float, **kwargs: Any) -> None:  # noqa: ANN401 - as they are
        self.acks: dict[int, asyncio.Future[ReasonCode]] = {}
        self.goodbye: ReasonCode | None = None
        super().__init__(*args, **kwargs)
        self._client.connect_timeout = connect_timeout_s

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:  # noqa: ANN401
        ack = self.acks.pop(mid, None)
        if ack is not None and not ack.done():
            ack.set_result(reason_code)

    def _on_disconnect(
        self,
        client: Any,  # noqa: ANN401
        userdata: Any,  # noqa: ANN401
        flags: Any,  # noqa: ANN401
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self.goodbye = reason_code
        if not self._connected.done():
            # Stock aiomqtt would wait its whole timeout for a CONNACK that cannot come any more.
            self._connected.set_exception(aiomqtt.MqttError("closed before the connection was accepted"))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:  # noqa: ANN401
        self._loop.call_soon_threadsafe(self._add_writer, sock)

    def _add_writer(self, sock: Any) -> None:  # noqa: ANN401
        # The link may have been cut since paho asked; stock aiomqtt lets the loop complain of a bad descriptor.
        if sock.fileno() >= 0:
            self._loop.add_writer(sock.fileno(), self._write)

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except (OSError, ValueError) as error:
            if not self._disconnected.done():
                self._disconnected.set_exception(error)

    def send(self, letter: Letter, properties: Properties | None) -> "asyncio.Future[ReasonCode] | None":
        """Hand a letter to paho; the future holds the PUBACK's reason code; None: there is no link."""
        info = self._client.publish(letter.topic, letter.payload, 1, letter.retain, properties)
        if info.rc != MQTT_ERR_SUCCESS:
            return None
        ack = self.acks[info.mid] = self._loop.create_future()
        return ack

    @property
    def lost(self) -> "asyncio.Future[None]":
        """Done, perhaps with an exception, when the link is gone."""
        return self._disconnected

    def drop(self) -> None:
        """Close the socket without a goodbye, also of a connection that never came to be."""
        self._client._sock_close()
        if self._misc_task is not None:
            self._misc_task.cancel()
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()
