# SPDX-License-Identifier: Apache-2.0
"""Synthetic pictures and recordings."""

import fractions
import tempfile
from pathlib import Path

import av
import numpy as np
from av import AudioFrame, VideoFrame

__all__ = ["h264_packets", "pattern", "repeated", "rotated_frame", "write_clip"]


def pattern(width: int, height: int, step: int) -> VideoFrame:
    """A diagonal gradient that moves with `step`, with a block of noise so that codecs have something to do."""
    rows, columns = np.mgrid[0:height, 0:width]
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    picture[:height] = (rows + columns + 4 * step) % 220 + 16
    noise = np.random.default_rng(step).integers(16, 235, (height // 4, width // 4), np.uint8)
    picture[: height // 4, : width // 4] = noise
    return VideoFrame.from_ndarray(picture, format="yuv420p")


def h264_packets(
    profile: str, width: int = 320, height: int = 240, count: int = 90, *, unreferenced: bool = False
) -> list[av.Packet]:
    """An H.264 stream of a profile (baseline, main, high), a keyframe every 15 pictures.

    There are no B-frames, or with `unreferenced` every second picture is one, which no other refers to.
    """
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base = fractions.Fraction(1, 30)
    codec.framerate = fractions.Fraction(30, 1)
    codec.gop_size = 15
    codec.bit_rate = 600_000
    codec.options = {"profile": profile, "tune": "zerolatency", "level": "31", "bf": "0"}
    if unreferenced:
        codec.options |= {"bf": "1", "x264-params": "b-adapt=0:b-pyramid=none:rc-lookahead=5"}
    packets: list[av.Packet] = []
    for step in range(count):
        picture = pattern(width, height, step)
        picture.pts, picture.time_base = step, codec.time_base
        packets += codec.encode(picture)
    packets += codec.encode(None)
    return packets


def write_clip(
    path: str,
    *,
    seconds: float = 2.0,
    fps: int = 30,
    size: tuple[int, int] = (320, 240),
    codec: str = "libx264",
    sound: bool = False,
    video: bool = True,
) -> None:
    """Write a synthetic clip of pictures, sound, or both."""
    with av.open(path, "w") as container:
        if video:
            stream = container.add_stream(codec, rate=fps)
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        microphone = container.add_stream("aac", rate=48_000) if sound else None
        for step in range(int(seconds * fps) if video else 0):
            picture = pattern(*size, step)
            picture.pts, picture.time_base = step, fractions.Fraction(1, fps)
            container.mux(stream.encode(picture))
        if video:
            container.mux(stream.encode(None))
        if microphone is not None:
            for step in range(int(seconds * 50)):
                chunk = AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), format="s16", layout="mono")
                chunk.sample_rate, chunk.pts = 48_000, step * 960
                container.mux(microphone.encode(chunk))
            container.mux(microphone.encode(None))


def repeated(source: Path, target: Path, times: int) -> Path:
    """Write the pictures of a film so many times one after the other, coded anew."""
    with av.open(str(source)) as film, av.open(str(target), "w") as container:
        shown = [picture.to_ndarray(format="yuv420p") for picture in film.decode(video=0)]
        rate = fractions.Fraction(film.streams.video[0].average_rate or 25)
        stream = container.add_stream("libx264", rate=rate, options={"preset": "veryfast"})
        stream.height, stream.width = shown[0].shape[0] * 2 // 3, shown[0].shape[1]
        stream.pix_fmt = "yuv420p"
        for step, pixels in enumerate(shown * times):
            picture = VideoFrame.from_ndarray(pixels, format="yuv420p")
            picture.pts, picture.time_base = step, 1 / rate
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return target


def rotated_frame(turn: int) -> VideoFrame:
    """A decoded 64x32 frame, bright in its top left corner, with rotation metadata."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/rotated.mp4"
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"crf": "10"})
            stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
            stream.set_display_rotation(turn)
            picture = np.full((48, 64), 128, np.uint8)
            picture[:32] = 50
            picture[:16, :32] = 200
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="yuv420p")))
            container.mux(stream.encode(None))
        with av.open(path) as container:
            return next(container.decode(video=0))
