# SPDX-License-Identifier: Apache-2.0
"""The installed aiortc in; what the encoded path needs of it and does not find out."""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from aiortc import RTCRtpReceiver
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtpPacket, unwrap_rtx

__all__ = ["tap_faults"]


@functools.cache
def tap_faults() -> tuple[str, ...]:
    """Names that `PacketHook` needs of aiortc and that are missing or of another shape; empty for aiortc 1.16."""
    try:
        receiver: Any = RTCRtpReceiver("video", SimpleNamespace(state="new"))  # type: ignore[arg-type]
        shapes = {name: check(receiver) for name, check in SHAPES.items()}
    except Exception as error:  # whatever another release makes of it
        return (f"{type(error).__name__}: {error}",)
    return tuple(name for name, fits in shapes.items() if not fits)


def _mapping(name: str) -> Callable[[Any], bool]:
    return lambda receiver: getattr(receiver, f"_RTCRtpReceiver__{name}", None) == {}


def _coroutine(name: str, *parameters: str) -> Callable[[Any], bool]:
    def fits(receiver: object) -> bool:
        method = getattr(receiver, name, None)
        return inspect.iscoroutinefunction(method) and tuple(inspect.signature(method).parameters) == parameters

    return fits


def _counts(_receiver: object) -> bool:
    statistics = StreamStatistics(90_000)
    statistics.add(RtpPacket(sequence_number=1))
    statistics.add(RtpPacket(sequence_number=3))
    return bool(statistics.packets_lost == 1)


def _unwraps(_receiver: object) -> bool:
    again = unwrap_rtx(RtpPacket(payload=b"\0\7data"), payload_type=96, ssrc=5)
    return (again.sequence_number, again.ssrc, again.payload) == (7, 5, b"data")


SHAPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "_handle_rtp_packet": _coroutine("_handle_rtp_packet", "packet", "arrival_time_ms"),
    "_send_rtcp_nack": _coroutine("_send_rtcp_nack", "media_ssrc", "lost"),
    "_send_rtcp_pli": _coroutine("_send_rtcp_pli", "media_ssrc"),
    "_send_rtcp": _coroutine("_send_rtcp", "packet"),
    "_enabled": lambda receiver: receiver._enabled is True,
    "__codecs": _mapping("codecs"),
    "__rtx_ssrc": _mapping("rtx_ssrc"),
    "__remote_streams": _mapping("remote_streams"),
    "__rtcp_ssrc": lambda receiver: receiver._RTCRtpReceiver__rtcp_ssrc is None,
    "StreamStatistics": _counts,
    "unwrap_rtx": _unwraps,
}
"""Each private name of the encoded path, and whether it is as it was read."""
