# SPDX-License-Identifier: Apache-2.0
"""A media server for tests: plays a synthetic camera by WHEP, and misbehaves as told."""

import asyncio

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from fastapi import FastAPI, Request, Response

from .calls import Pattern, Tone

__all__ = ["MediaServer"]


class MediaServer:
    """Serves `app`: POST /whep plays a camera unless `script` holds a status to answer first.

    A status of 0 in the script is an answer that is no SDP. `requests` lists what was asked, `cameras` who plays.
    """

    def __init__(self, *script: int, token: str | None = None) -> None:
        self.script = list(script)
        self.token = token
        self.requests: list[str] = []
        self.cameras: list[Pattern] = []
        self.connections: list[RTCPeerConnection] = []
        self.app = FastAPI()
        self.app.add_api_route("/whep", self._play, methods=["POST"])
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
        return Response(connection.localDescription.sdp, 201, headers, "application/sdp")

    async def _end(self, session: int) -> Response:
        self.requests.append("DELETE")
        await self.connections[session].close()
        return Response()

    async def close(self) -> None:
        """Hang up on everybody."""
        await asyncio.gather(*(each.close() for each in self.connections))
