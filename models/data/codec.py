# SPDX-License-Identifier: Apache-2.0
"""A short clip in, the same clip after a real VP8 or H.264 encoder and decoder out."""

from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np

from models.forgeries.clip import Pixels

__all__ = ["Compression", "compress", "jpeg"]


@dataclass(frozen=True, slots=True)
class Compression:
    """`codec` is vp8 or h264; `quantiser` is the constant quantiser, 0..63 for VP8 and 0..51 for H.264."""

    codec: str
    quantiser: int

    def options(self) -> dict[str, str]:
        """Encoder options: real-time settings at a constant quantiser.

        A positive cpu-used would let libvpx choose its effort by the clock, and twins would differ.
        """
        if self.codec == "h264":
            return {"preset": "ultrafast", "tune": "zerolatency", "qp": str(self.quantiser), "threads": "1"}
        level = str(self.quantiser)
        return {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "qmin": level, "qmax": level,
                "crf": level, "threads": "1"}  # fmt: skip


def compress(clip: Pixels, compression: Compression, width_px: int) -> Pixels:
    """Scale the clip uint8 [T, S, S, 3] to `width_px` (made even), encode and decode it, scale it back."""
    side = clip.shape[1]
    even = max(16, width_px // 2 * 2)
    encoder = av.CodecContext.create("libx264" if compression.codec == "h264" else "libvpx", "w")
    encoder.width = encoder.height = even
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 10)
    encoder.options = compression.options()
    encoder.bit_rate = 20_000_000
    decoder = av.CodecContext.create("h264" if compression.codec == "h264" else "vp8", "r")
    packets = []
    for index, rgb in enumerate(clip):
        small = cv2.resize(rgb, (even, even), interpolation=cv2.INTER_AREA if even < side else cv2.INTER_LINEAR)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(small), format="rgb24")
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decoded = [frame for packet in packets for frame in decoder.decode(packet)] + list(decoder.decode(None))
    pictures = [frame.to_ndarray(format="rgb24") for frame in decoded][: len(clip)]
    pictures += [pictures[-1]] * (len(clip) - len(pictures))
    return np.stack([cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR) for picture in pictures])


def jpeg(rgb: Pixels, quality: int) -> Pixels:
    """Send one picture through JPEG."""
    _, packed = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    unpacked = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert unpacked is not None
    return np.asarray(cv2.cvtColor(unpacked, cv2.COLOR_BGR2RGB), np.uint8)
