# SPDX-License-Identifier: Apache-2.0
"""A media server for tests: plays a synthetic camera by WHEP, and misbehaves as told."""

import asyncio
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from fastapi import FastAPI, Request, Response

from .calls import Pattern, Tone

__all__ = ["MediaServer"]


class MediaServer:
    """Serves `app`: POST /whep plays a camera unless `script` holds a status to answer first.

    A status of 0 in the script is an answer that is no SDP. `requests` lists what was asked, `cameras` who plays,
    `wishes` the layers asked for. `layers` is where they can be (`{port}` stands for the server's), None for a server
    that does not offer it, and `refusal` the status they are answered with.
    """

    def __init__(self, *script: int, token: str | None = None, layers: str | None = None, refusal: int = 200) -> None:
        self.script = list(script)
        self.token = token
        self.layers = layers
        self.refusal = refusal
        self.wishes: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.cameras: list[Pattern] = []
        self.connections: list[RTCPeerConnection] = []
        self.app = FastAPI()
        self.app.add_api_route("/whep", self._play, methods=["POST"])
        self.app.add_api_route("/layer", self._choose, methods=["POST"])
        self.app.add_api_route("/whep/{session}", self._end, methods=["DELETE"])

    async def _play(self, request: Request) -> Response:
        self.requests.append("POST")
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return Response(status_code=401)
        status = self.script.pop(0) if self.script else 201
        if status != 201:
            return Response("no SDP", status or 201, {"Retry-After": "0"}, "application/sdp")
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connections.append(connection)
        self.cameras.append(Pattern())
        offer = (await request.body()).decode()
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        connection.addTrack(self.cameras[-1])
        connection.addTrack(Tone())
        await connection.setLocalDescription(await connection.createAnswer())
        headers = {"Location": f"whep/{len(self.connections) - 1}"}
        if self.layers:
            layers = self.layers.format(port=request.url.port)
            events = '</events>; rel="urn:ietf:params:whep:ext:core:server-sent-events"; events="layers"'
            headers["Link"] = f'{events}, <{layers}>; rel="urn:ietf:params:whep:ext:core:layer"'
        return Response(connection.localDescription.sdp, 201, headers, "application/sdp")

    async def _choose(self, request: Request) -> Response:
        assert request.headers["content-type"] == "application/json"
        assert request.headers.get("authorization") == (f"Bearer {self.token}" if self.token else None)
        self.wishes.append(await request.json())
        return Response(status_code=self.refusal)

    async def _end(self, session: int) -> Response:
        self.requests.append("DELETE")
        await self.connections[session].close()
        return Response()

    async def close(self) -> None:
        """Hang up on everybody."""
        await asyncio.gather(*(each.close() for each in self.connections))
