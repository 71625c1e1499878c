# SPDX-License-Identifier: Apache-2.0
"""A clip of a face in, the file that the other side of a call would have received out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

import av
import numpy as np
from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from models.data.network import Link, Network
from models.data.scene import FACE_SHARE, Scene

__all__ = ["Call", "Received", "deliver"]

ASPECT: Final = 16 / 9
CLOCK: Final = Fraction(1, 90_000)
EARLY_S: Final = 0.002
VP8: Final = {
    "deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0", "auto-alt-ref": "0", "error-resilient": "default",
    "qmin": "2", "qmax": "56", "undershoot-pct": "100", "overshoot-pct": "15", "max-intra-rate": "900",
    "drop-threshold": "30", "static-thresh": "1", "threads": "1",
}  # fmt: skip
"""What libwebrtc sets for VP8. A positive cpu-used would let libvpx choose its effort by the clock."""

H264: Final = {
    "preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "qmax": "51", "forced-idr": "1",
    "sc_threshold": "0", "threads": "1",
}  # fmt: skip
ENCODERS: Final = {"vp8": ("libvpx", VP8), "h264": ("libx264", H264)}
NO_KEYFRAMES: Final = 100_000
"""Frames between keyframes that nobody asked for: more than a clip has."""


@dataclass(frozen=True, slots=True)
class Call:
    """A sender's picture height, video bitrate, codec (vp8 or h264), frame rate and framing, and its network."""

    height_px: int
    kbps: int
    codec: str = "vp8"
    most_fps: float = 30.0
    face_share: float = FACE_SHARE
    network: Network = field(default_factory=Network)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height, 16:9, even."""
        return round(self.height_px * ASPECT / 2) * 2, self.height_px

    @property
    def name(self) -> str:
        """The condition in tables, for instance `360p 500 kbit/s 5 % loss`."""
        network = self.network
        words = [f"{self.height_px}p {self.kbps} kbit/s"]
        words += [self.codec] * (self.codec != "vp8") + [f"{self.most_fps:g} fps"] * (self.most_fps < 30)
        words += [f"{100 * network.loss:g} % loss"] * (network.loss > 0)
        words += [f"in bursts of {network.burst_packets:g}"] * (network.loss > 0 and network.burst_packets > 1)
        return " ".join(words + ["repaired"] * (network.loss > 0 and network.retransmissions > 0))


@dataclass(frozen=True, slots=True)
class Received:
    """Seconds of the clip; frames taken by the camera, sent by the encoder and shown by the receiver; keyframes and
    bytes sent; `error` when the clip could not be read.
    """

    seconds: float = 0.0
    taken: int = 0
    sent: int = 0
    shown: int = 0
    keyframes: int = 0
    sent_bytes: int = 0
    error: str = ""

    @property
    def kbps(self) -> float:
        """Bitrate sent."""
        return self.sent_bytes * 8e-3 / max(self.seconds, 1e-3)


def deliver(source: Path, target: Path, call: Call, face_px: float | None, seed: int) -> Received:
    """Send a clip through a call and store the very packets that the receiver could decode, as Matroska.

    Decoding the file gives what the receiver shows, with the camera's timestamps; while the picture is frozen there
    are no frames, since a live track delivers none either. `face_px` is the face box's size in the clip; None means
    half the clip's side. Nothing is written when nothing arrived or the clip cannot be read.
    """
    try:
        received = _deliver(source, target, call, face_px, Link(call.network, np.random.default_rng(seed)))
    except (OSError, ValueError, IndexError) as error:
        received = Received(error=f"{type(error).__name__}: {error}")
    if received.shown == 0:
        target.unlink(missing_ok=True)
    return received


def _deliver(source: Path, target: Path, call: Call, face_px: float | None, link: Link) -> Received:
    scene: Scene | None = None
    first_s = last_s = 0.0
    taken = sent = shown = keyframes = sent_bytes = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as film, av.open(str(target), "w", format="matroska") as stored:
        fps = min(float(film.streams.video[0].average_rate or call.most_fps), call.most_fps)
        encoder = _encoder(stored, call, Fraction(fps).limit_denominator(1001))
        for at_s, frame in _taken(film.decode(video=0), call.most_fps):
            if scene is None:
                scene, first_s = Scene(call.size_px, frame, face_px or frame.height / 2, call.face_share), at_s
            picture = scene.show(frame)
            picture.pts, picture.time_base = round((at_s - first_s) / CLOCK), CLOCK
            if taken == 0 or link.wants_keyframe(at_s):
                picture.pict_type = PictureType.I
            taken, last_s = taken + 1, at_s
            for packet in encoder.encode(picture):
                sent, keyframes, sent_bytes = sent + 1, keyframes + packet.is_keyframe, sent_bytes + packet.size
                if link.carry(at_s, packet.size, keyframe=packet.is_keyframe):
                    shown += 1
                    stored.mux(packet)
    return Received(last_s - first_s + 1 / fps, taken, sent, shown, keyframes, sent_bytes)


def _taken(frames: Iterator[VideoFrame], most_fps: float) -> Iterator[tuple[float, VideoFrame]]:
    """Take frames at most `most_fps` a second on a steady beat, with the film's own times."""
    due_s: float | None = None
    for frame in frames:
        at_s = float(frame.time or 0.0)
        due_s = at_s if due_s is None else due_s
        if at_s + EARLY_S >= due_s:
            due_s = max(due_s + 1.0 / most_fps, at_s)
            yield at_s, frame


def _encoder(stored: OutputContainer, call: Call, fps: Fraction) -> VideoStream:
    """Set up a real-time encoder at a constant bitrate with a buffer of one second; keyframes come on request only."""
    name, options = ENCODERS[call.codec]
    stream = cast(VideoStream, stored.add_stream(name, fps))
    stream.width, stream.height = call.size_px
    stream.pix_fmt = "yuv420p"
    stream.bit_rate = call.kbps * 1000
    stream.codec_context.time_base = CLOCK
    stream.codec_context.gop_size = NO_KEYFRAMES
    rate, filled = str(call.kbps * 1000), str(call.kbps * 500)
    stream.codec_context.options = options | {
        "minrate": rate, "maxrate": rate, "bufsize": rate, "rc_init_occupancy": filled,
    }  # fmt: skip
    return stream
