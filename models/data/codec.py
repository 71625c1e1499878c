# SPDX-License-Identifier: Apache-2.0
"""A short clip in, the same clip after a real VP8 or H.264 encoder and decoder out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from models.forgeries.clip import Pixels

__all__ = ["PLAIN", "Compression", "Scaler", "compress", "jpeg"]

CLOCK: Final = Fraction(1, 1000)
LEAST_PX: Final = 16
QUANTISERS: Final = {"vp8": 63, "h264": 51}
"""Coarsest quantiser of a codec."""

FINE_BITS: Final = 1.35
COARSE_BITS: Final = 0.037
"""Bits per pixel and frame at VP8 quantisers 0 and 63: fitted to the median of faces in films at five frames a second,
0.36 at quantiser 16, 0.18 at 32, 0.09 at 48 (H.264 at 30 of 51: 0.17)."""

UNLIMITED: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Scaler:
    """How pictures are made smaller and larger again, as OpenCV's interpolation codes; `point_chroma`: every other
    colour sample is dropped where others average four.
    """

    down: int = cv2.INTER_AREA
    up: int = cv2.INTER_LINEAR
    point_chroma: bool = False

    def shrink(self, rgb: Pixels, side_px: int) -> Pixels:
        """Bring a picture uint8 [S, S, 3] to a side that is no larger."""
        if side_px == rgb.shape[0]:
            return rgb
        way = self.down if side_px < rgb.shape[0] else self.up
        return np.asarray(cv2.resize(rgb, (side_px, side_px), interpolation=way), np.uint8)

    def enlarge(self, rgb: Pixels, side_px: int) -> Pixels:
        """Bring it back."""
        if side_px == rgb.shape[0]:
            return rgb
        way = self.up if side_px > rgb.shape[0] else self.down
        return np.asarray(cv2.resize(rgb, (side_px, side_px), interpolation=way), np.uint8)


PLAIN: Final = Scaler()


@dataclass(frozen=True, slots=True)
class Compression:
    """`codec` is vp8 or h264. With `kbps` above 0 the encoder keeps that bitrate at `fps` frames a second, with the
    quantiser free; else it keeps `quantiser`, 0..63 for VP8 and 0..51 for H.264. The frames at `keyframes` stand alone.
    """

    codec: str
    quantiser: int = 0
    kbps: float = 0.0
    fps: float = 10.0
    keyframes: tuple[int, ...] = ()

    def level(self, side_px: int) -> float:
        """How coarse the pictures of this side become, 0..1: by quantiser, or by bits per pixel on the same scale."""
        if self.kbps <= 0:
            return self.quantiser / QUANTISERS[self.codec]
        bits = 1000 * self.kbps / self.fps / side_px**2
        return float(np.clip(np.log(FINE_BITS / bits) / np.log(FINE_BITS / COARSE_BITS), 0.0, 1.0))

    def options(self) -> dict[str, str]:
        """Encoder options for real time.

        A positive cpu-used would let libvpx choose its effort by the clock, and twins would differ.
        """
        if self.codec == "h264":
            pace = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1", "threads": "1"}
            return pace | (self._rate() if self.kbps > 0 else {"qp": str(self.quantiser)})
        pace = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "threads": "1"}
        level = str(self.quantiser)
        fixed = {"qmin": level, "qmax": level, "crf": level}
        return pace | (self._rate() | {"qmin": "2", "qmax": "56"} if self.kbps > 0 else fixed)

    def _rate(self) -> dict[str, str]:
        rate, filled = str(self._bits_per_s()), str(self._bits_per_s() // 2)
        return {"minrate": rate, "maxrate": rate, "bufsize": rate, "rc_init_occupancy": filled}

    def _bits_per_s(self) -> int:
        return round(self.kbps * 1000) if self.kbps > 0 else UNLIMITED

    def encoder(self, side_px: int) -> VideoCodecContext:
        """Open an encoder for square pictures."""
        encoder = av.CodecContext.create("libx264" if self.codec == "h264" else "libvpx", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width = encoder.height = side_px
        encoder.pix_fmt = "yuv420p"
        encoder.time_base = CLOCK
        encoder.framerate = Fraction(self.fps).limit_denominator(1000)
        encoder.options = self.options()
        encoder.bit_rate = self._bits_per_s()
        return encoder


def compress(clip: Pixels, compression: Compression, width_px: int, scaler: Scaler = PLAIN) -> Pixels:
    """Scale the clip uint8 [T, S, S, 3] to `width_px` (made even), encode and decode it, scale it back."""
    side = clip.shape[1]
    even = max(LEAST_PX, width_px // 2 * 2)
    small = [_frame(scaler.shrink(rgb, even), point_chroma=scaler.point_chroma) for rgb in clip]
    decoded = list(_transmitted(small, compression, even))[: len(clip)]
    decoded += [decoded[-1]] * (len(clip) - len(decoded))
    pictures = (cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2RGB_I420) for frame in decoded)
    return np.stack([scaler.enlarge(np.asarray(picture, np.uint8), side) for picture in pictures])


def _frame(rgb: Pixels, *, point_chroma: bool) -> VideoFrame:
    """Convert to I420, BT.601, limited range. OpenCV takes every other colour sample; averages are made beforehand."""
    packed = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8)
    if not point_chroma:
        side = rgb.shape[0]
        half = cv2.resize(rgb, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
        even = cv2.resize(half, (side, side), interpolation=cv2.INTER_NEAREST)
        packed[side:] = cv2.cvtColor(even, cv2.COLOR_RGB2YUV_I420)[side:]
    return VideoFrame.from_ndarray(packed, format="yuv420p")


def _transmitted(frames: Sequence[VideoFrame], compression: Compression, side_px: int) -> Iterator[VideoFrame]:
    encoder = compression.encoder(side_px)
    decoder = av.CodecContext.create("h264" if compression.codec == "h264" else "vp8", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    for index, frame in enumerate(frames):
        frame.pts, frame.time_base = round(index / compression.fps / CLOCK), CLOCK
        if index in compression.keyframes:
            frame.pict_type = PictureType.I
        for packet in encoder.encode(frame):
            yield from decoder.decode(packet)
    for packet in encoder.encode(None):
        yield from decoder.decode(packet)
    yield from decoder.decode(None)


def jpeg(rgb: Pixels, quality: int) -> Pixels:
    """Send one picture through JPEG."""
    _, packed = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    unpacked = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert unpacked is not None
    return np.asarray(cv2.cvtColor(unpacked, cv2.COLOR_BGR2RGB), np.uint8)
