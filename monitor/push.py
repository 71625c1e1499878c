# SPDX-License-Identifier: Apache-2.0
"""A file in, a WHIP caller that plays it at its own speed out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import aiohttp
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)

from monitor.capture.adapter import prepare
from monitor.capture.player import Player
from monitor.capture.signalling import Agreed, SignallingError, leave, post_offer, session_http
from monitor.errors import PushError

__all__ = ["Codec", "Progress", "Pushed", "push"]

Codec = Literal["vp8", "h264"]
Progress = Callable[[float, float | None], None]
"""Called with the seconds played and the length of the file, None when unknown."""

LINGER_S: Final = 0.5
"""The receiver completes a picture when the next one begins: the last ones need a moment to get there."""

PROGRESS_EVERY_S: Final = 0.1
MIME: Final = {"vp8": "video/VP8", "h264": "video/H264"}


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was played."""

    seconds: float
    pictures: int


async def push(
    source: str | Path,
    url: str,
    token: str | None,
    *,
    loop: bool = False,
    codec: Codec = "vp8",
    progress: Progress | None = None,
    timeout_s: float = 15.0,
) -> Pushed:
    """Publish a file's picture and sound to a WHIP endpoint, and leave (DELETE) when it is over.

    With `loop` the file starts again at its end until cancelled. Pictures larger than 1280 pixels are scaled
    down, more than 30 a second thinned out. `timeout_s` bounds the signalling and the connecting.
    Raises `FileError` for a file that cannot be played, `PushError` for an endpoint that cannot be reached, refuses,
    or ends the session before the file is over.
    """
    prepare()
    player = await Player.open(source, loop=loop)
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        async with session_http(token, timeout_s) as http:
            agreed = await _publish(http, url, connection, player, codec)
            try:
                await _connected(connection, timeout_s)
                await _play(connection, player, progress)
            finally:
                await _leave(http, agreed)
    finally:
        await connection.close()
        await player.close()
    return Pushed(player.played_s, player.pictures)


async def _publish(
    http: aiohttp.ClientSession, url: str, connection: RTCPeerConnection, player: Player, codec: Codec
) -> Agreed:
    for track in player.tracks:
        transceiver = connection.addTransceiver(track, direction="sendonly")
        if track.kind == "video":
            known = RTCRtpSender.getCapabilities("video").codecs
            transceiver.setCodecPreferences([each for each in known if each.mimeType in {MIME[codec], "video/rtx"}])
    await connection.setLocalDescription(await connection.createOffer())
    try:
        agreed = await post_offer(http, url, connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(agreed.answer, "answer"))
    except SignallingError as error:
        raise PushError(error.what, error.advice) from error
    except Exception as error:  # the parser raises whatever the text leads it to
        raise PushError("The answer of the endpoint is not SDP that fits.", "Check that it speaks WHIP.") from error
    return agreed


async def _connected(connection: RTCPeerConnection, timeout_s: float) -> None:
    settled = asyncio.Event()

    def changed() -> None:
        if connection.connectionState not in {"new", "connecting"}:
            settled.set()

    connection.on("connectionstatechange", changed)
    changed()
    try:
        async with asyncio.timeout(timeout_s):
            await settled.wait()
    except TimeoutError:
        pass
    if connection.connectionState != "connected":
        raise PushError(
            "The endpoint answered, but no media connection came about.",
            "Check that UDP gets through, or give both sides a TURN server.",
        )


async def _play(connection: RTCPeerConnection, player: Player, progress: Progress | None) -> None:
    while not player.ended.is_set():
        if progress is not None:
            progress(player.played_s, player.length_s)
        if connection.connectionState != "connected":
            raise PushError("The endpoint ended the session before the file was over.", "See the endpoint's log.")
        try:
            async with asyncio.timeout(PROGRESS_EVERY_S):
                await player.ended.wait()
        except TimeoutError:
            continue
    if player.error is not None:
        raise player.error
    if progress is not None:
        progress(player.played_s, player.length_s)
    await asyncio.sleep(LINGER_S)


async def _leave(http: aiohttp.ClientSession, agreed: Agreed) -> None:
    try:
        await leave(http, agreed)
    except SignallingError as error:
        raise PushError(error.what, error.advice) from error
